"""Inline route constraints, `{name:int}`, with the meaning that ASP.NET Core gives them."""

import re
from collections.abc import Callable
from datetime import datetime

from devhost.host.errors import FunctionLoadError

Constraint = Callable[[str], bool]

_CALL = re.compile(r"(\w+)(?:\((.*)\))?", re.DOTALL)
_NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)(e[+-]?\d+)?", re.IGNORECASE)
_INTEGER = re.compile(r"[+-]?\d+")
_GUID = re.compile(
    r"[0-9a-f]{32}|(?P<open>[{(])?[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}(?(open)[)}])",
    re.IGNORECASE,
)


def _matches(pattern: re.Pattern[str]) -> Constraint:
    return lambda value: pattern.fullmatch(value) is not None


def _integer(low: int, high: int) -> Constraint:
    return lambda value: _INTEGER.fullmatch(value) is not None and low <= int(value) <= high


def _length(low: int, high: int) -> Constraint:
    return lambda value: low <= len(value) <= high


def _is_datetime(value: str) -> bool:
    try:
        datetime.fromisoformat(value)
    except ValueError:
        return False
    return True


_LONGEST = 2**31 - 1
_LEAST, _GREATEST = -(2**63), 2**63 - 1

_PLAIN: dict[str, Constraint] = {
    "alpha": _matches(re.compile(r"[a-z]*", re.IGNORECASE)),
    "bool": lambda value: value.lower() in {"true", "false"},
    "datetime": _is_datetime,  # ISO 8601 only; .NET reads many more spellings
    "decimal": _matches(_NUMBER),
    "double": _matches(_NUMBER),
    "float": _matches(_NUMBER),
    "guid": _matches(_GUID),
    "int": _integer(-(2**31), 2**31 - 1),
    "long": _integer(_LEAST, _GREATEST),
    "required": lambda value: value != "",
}

_WITH_NUMBERS: dict[tuple[str, int], Callable[[list[int]], Constraint]] = {
    ("length", 1): lambda numbers: _length(numbers[0], numbers[0]),
    ("length", 2): lambda numbers: _length(numbers[0], numbers[1]),
    ("minlength", 1): lambda numbers: _length(numbers[0], _LONGEST),
    ("maxlength", 1): lambda numbers: _length(0, numbers[0]),
    ("min", 1): lambda numbers: _integer(numbers[0], _GREATEST),
    ("max", 1): lambda numbers: _integer(_LEAST, numbers[0]),
    ("range", 2): lambda numbers: _integer(numbers[0], numbers[1]),
}


def parse_constraint(text: str) -> Constraint:
    """The test that `int`, `range(1,9)`, `regex(^a+$)` and the like mean.

    Raises `FunctionLoadError` for a constraint that there is not.
    """
    call = _CALL.fullmatch(text)
    if call is None:
        raise FunctionLoadError(f"its route has an unreadable constraint: {text!r}")
    name, argument = call[1].lower(), call[2]
    if argument is None and name in _PLAIN:
        return _PLAIN[name]
    if name == "regex" and argument:
        return _regex(argument)
    return _with_numbers(text, name, argument or "")


def _regex(pattern: str) -> Constraint:
    try:
        compiled = re.compile(pattern, re.IGNORECASE)
    except re.error as fault:
        raise FunctionLoadError(f"its route has an invalid pattern: {fault}") from fault
    return lambda value: compiled.search(value) is not None


def _with_numbers(text: str, name: str, arguments: str) -> Constraint:
    parts = arguments.split(",")
    make = _WITH_NUMBERS.get((name, len(parts)))
    if make is None or not all(_INTEGER.fullmatch(part.strip()) for part in parts):
        raise FunctionLoadError(f"its route has an unknown constraint: {text!r}")
    return make([int(part) for part in parts])
