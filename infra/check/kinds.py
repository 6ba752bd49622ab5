"""Whether a value is what a parameter or an output says it is."""

import re
from collections.abc import Iterator, Mapping
from typing import Any, Literal, cast

from infra.check import syntax
from infra.check.functions import OF_TEXT, Later, Value
from infra.check.syntax import Declaration
from infra.check.values import evaluate

_KINDS: dict[str, type] = {"string": str, "int": int, "bool": bool, "array": list, "object": dict}


def is_of(kind: str, value: Value) -> bool:
    return isinstance(value, _KINDS[kind]) and not (kind == "int" and isinstance(value, bool))


def misfits(declared: Declaration, value: Value) -> Iterator[str]:
    if isinstance(value, Later):
        if declared.source != "string" and _is_text(value):
            yield f"{declared.name} is {declared.source}, and {value} a string"
        return
    if declared.source not in _KINDS:
        yield f"{declared.source} is no type: {', '.join(_KINDS)}"
    elif not is_of(declared.source, value):
        yield f"{declared.name} is {declared.source}, not {value!r}"
    else:
        yield from _beyond(declared, value)


def _is_text(value: Later) -> bool:
    """What a resource tells of itself is text in all that we read, as are names and ids."""
    of_resource = re.fullmatch(r"[\w/:\[\]-]+(\.\w+)+", value) is not None
    return of_resource or value.startswith(OF_TEXT) or value.isidentifier() or "{" in value


def _beyond(declared: Declaration, value: Value) -> Iterator[str]:
    size: Any = len(cast("list[Value]", value)) if isinstance(value, (str, list)) else value
    for decorator in declared.decorators:
        limit: Any = evaluate(decorator.arguments[0], Later, {}) if decorator.arguments else None
        match decorator.function:
            case "allowed":
                holds = value in limit
            case "minValue" | "minLength":
                holds = size >= limit
            case "maxValue" | "maxLength":
                holds = size <= limit
            case _:
                holds = True
        if not holds:
            yield f"{declared.name} may not be {value!r}: {decorator.function}({limit})"


def allowed(declared: Declaration) -> list[Value]:
    """The values that a parameter may have, where there are few: for a plan of each."""
    decorator = declared.decorator("allowed")
    if decorator is not None:
        return evaluate(decorator.arguments[0], Later, {})
    if declared.source == "bool" and isinstance(declared.value, syntax.Constant):
        return [True, False]
    return []


def filling(declared: Declaration, given: Mapping[str, Value]) -> Value:
    """Something, for a parameter that is empty by itself; else None."""
    before = given.get(declared.name, declared.value)
    empty = before in ("", []) or (isinstance(before, syntax.Array) and not before.items)
    if isinstance(before, syntax.Constant) and before.value == "":
        empty = True
    if isinstance(before, syntax.Constant) and before.value == 0 and declared.source == "int":
        return 1
    some = f"some-{declared.name}"
    something: dict[str, Value] = {"string": some, "array": [some]}
    return something.get(declared.source) if empty else None


def extreme(declared: Declaration, end: Literal["minValue", "maxValue"]) -> Value:
    """The least or the greatest number that a parameter may be, or None."""
    decorator = declared.decorator(end)
    return evaluate(decorator.arguments[0], Later, {}) if decorator else None
