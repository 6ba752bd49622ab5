"""Requests that are read without the framework, which takes long over it.

Only for routes that are asked most. What an endpoint declares is still what the documentation says,
and what is wrong with a request is still told in the framework's way.
"""

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from fastapi import Request
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, TypeAdapter, ValidationError

Endpoint = TypeVar("Endpoint", bound=Callable[..., Any])
Value = TypeVar("Value")
Model = TypeVar("Model", bound=BaseModel)
Reader = Callable[[Request], Mapping[str, Any]]
"""Gives an endpoint's parameters by name; raises RequestValidationError."""

_READER = "reader"


def read_by(reader: Reader) -> Callable[[Endpoint], Endpoint]:
    """Have this endpoint's parameters read by a function."""

    def mark(endpoint: Endpoint) -> Endpoint:
        setattr(endpoint, _READER, reader)
        return endpoint

    return mark


def reader_of(endpoint: Callable[..., Any]) -> Reader | None:
    """The function that reads an endpoint's parameters; None where the framework does."""
    return getattr(endpoint, _READER, None)


def read_value(kind: TypeAdapter[Value], value: object, *place: str) -> Value:
    """What was given in a path or a header; `place` leads to it."""
    return _checked(kind.validate_python, value, *place)


def read_query(kind: type[Model], request: Request) -> Model:
    """The query string, none of whose parameters is given twice."""
    return _checked(kind.model_validate, dict(request.query_params), "query")


def read_body(kind: type[Model], request: Request) -> Model:
    """A body that was read as JSON before."""
    if not hasattr(request.state, "body"):
        raise RequestValidationError([{"loc": ("body",), "msg": "Field required"}])
    return _checked(kind.model_validate, request.state.body, "body")


def _checked(validate: Callable[[object], Value], given: object, *place: str) -> Value:
    try:
        return validate(given)
    except ValidationError as error:
        found = error.errors(include_url=False, include_context=False, include_input=False)
    told = [each | {"loc": (*place, *each["loc"])} for each in found]
    raise RequestValidationError(told)
