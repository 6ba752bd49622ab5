"""Variables of builds: what whoever resumes one must know."""

from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StrictBool

from shared.models.artifacts import Moment
from shared.models.text import Text, keepable


def _is_a_name(text: str) -> str:
    if keepable(text) != text:
        raise ValueError("a key or a token is no name")
    return text


VariableName = Annotated[
    str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_.-]{0,254}$"), AfterValidator(_is_a_name)
]


class VariableRequest(BaseModel):
    """The body of `PUT /api/builds/{id}/variables/{name}`.

    Of a sensitive one only that it is set is kept, never its value: the registry is no vault.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    value: Annotated[Text, Field(max_length=65536)] | None = None
    """null: declared, and not set."""
    sensitive: StrictBool = False
    required_for_resume: StrictBool = False


class BuildVariable(BaseModel):
    """A variable as it is told."""

    model_config = ConfigDict(frozen=True)

    name: str
    value: str | None
    """null also where it is sensitive."""
    is_set: bool
    sensitive: bool
    required_for_resume: bool
    created_at: Moment
    updated_at: Moment


class BuildVariableList(BaseModel):
    """All variables of a build, by name."""

    variables: list[BuildVariable]
