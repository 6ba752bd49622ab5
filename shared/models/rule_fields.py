"""The fields of a rule, each checked for itself, and how a rule says what is wrong with it."""

from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from typing import Annotated, Any

from pydantic import (
    AfterValidator,
    ConfigDict,
    Field,
    JsonValue,
    PlainValidator,
    TypeAdapter,
    ValidationError,
    WithJsonSchema,
)
from pydantic_core import InitErrorDetails, PydanticCustomError

from shared.errors import InvalidInput
from shared.models.blobs import check_account, check_container
from shared.models.templates import LONGEST_TEMPLATE, PathTemplate
from shared.models.text import keepable_json

Place = tuple[str | int, ...]
"""Members and positions that lead to a value."""
Fault = tuple[Place, str]
"""Where a value stands, and what is wrong with it."""

_MOST_PATHS = 20
_MOST_FAULTS = 20
"""A rule may be wrong in as many places as a body has room for; nobody reads them all."""
_DEFERRED = ConfigDict(defer_build=True)


def refuse(faults: Iterable[Fault]) -> None:
    """Raise a ValidationError of the first of these faults, if any, from within a validator."""
    details = [
        InitErrorDetails(
            type=PydanticCustomError("rule", "{told}", {"told": told}), loc=place, input=None
        )
        for place, told in islice(faults, _MOST_FAULTS)
    ]
    if details:
        raise ValidationError.from_exception_data("rule", details)


def strings_in(value: JsonValue, place: Place) -> Iterator[tuple[Place, str]]:
    """Every string in a JSON value, at any depth, and where it stands; keys are none."""
    if isinstance(value, str):
        yield place, value
    elif isinstance(value, list | dict):
        members = value.items() if isinstance(value, dict) else enumerate(value)
        for name, member in members:
            yield from strings_in(member, (*place, name))


def _without_secrets(value: Any) -> Any:
    if keepable_json(value) != value:
        raise ValueError("a key or a signed address is in it; a rule is there to be read")
    return value


def _checked(check: Callable[[str], object]) -> AfterValidator:
    def validate(text: str) -> str:
        try:
            check(text)
        except InvalidInput as fault:
            raise ValueError(fault.summary) from None
        return text

    return AfterValidator(validate)


def _without_braces(text: str) -> str:
    if "{" in text or "}" in text:
        raise ValueError("a client type is no template: write it without braces")
    return text


_Path = Annotated[
    str,
    Field(min_length=1, max_length=LONGEST_TEMPLATE),
    AfterValidator(_without_secrets),
    _checked(PathTemplate.parse),
]
_Paths = Annotated[list[_Path], Field(min_length=1, max_length=_MOST_PATHS)]
_PATH: TypeAdapter[str] = TypeAdapter(_Path, config=_DEFERRED)
_PATHS: TypeAdapter[list[str]] = TypeAdapter(_Paths, config=_DEFERRED)
_PATH_SCHEMA = {"type": "string", "minLength": 1, "maxLength": LONGEST_TEMPLATE}
_PATHS_SCHEMA = {
    "type": "array", "items": _PATH_SCHEMA, "minItems": 1, "maxItems": _MOST_PATHS
}  # fmt: skip


def _valid_paths(value: object) -> str | list[str]:
    # A union would name its own branches where it tells which value is at fault.
    if isinstance(value, list):
        return _PATHS.validate_python(value)
    return _PATH.validate_python(value)


RuleName = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,99}$")]
Account = Annotated[str, _checked(check_account)]
Container = Annotated[str, _checked(check_container)]
Paths = Annotated[
    str | list[str],
    PlainValidator(_valid_paths),
    WithJsonSchema({"anyOf": [_PATH_SCHEMA, _PATHS_SCHEMA]}),
]
ClientType = Annotated[str, AfterValidator(_without_secrets), AfterValidator(_without_braces)]
Template = Annotated[str, AfterValidator(_without_secrets)]
Templates = Annotated[dict[str, JsonValue], AfterValidator(_without_secrets)]
"""A JSON object, each string in it a template."""
