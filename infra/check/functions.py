"""The functions of Bicep that our templates may call; some can be worked out here.

A name that is not in this table is taken for a spelling mistake, so the table is the whole
vocabulary: who needs another function adds it, with the numbers of arguments that it takes.
"""

import json
import math
import operator as op
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from ipaddress import ip_network
from typing import Any, cast

Value = Any  # str | int | bool | None | list | dict | Reference: what JSON has, and what is later


class Later(str):
    """What only Azure knows, written as the expression that gives it."""

    __slots__ = ()


@dataclass(frozen=True)
class Function:
    least: int
    most: int
    work_out: Callable[..., Value] | None = None


def _subnet(network: str, size: int, index: int) -> str:
    return str(list(ip_network(network).subnets(new_prefix=size))[index])


def _concat(*parts: Value) -> Value:
    if all(isinstance(part, list) for part in parts):
        return [item for part in parts for item in part]
    return "".join(str(part) for part in parts)


def _union(*parts: Value) -> Value:
    if all(isinstance(part, dict) for part in parts):
        return {key: value for part in parts for key, value in part.items()}
    merged: list[Value] = []
    for part in parts:
        merged.extend(item for item in part if item not in merged)
    return merged


def _contains(whole: Value, part: Value) -> bool:
    return part in whole


def _empty(value: Value) -> bool:
    return not value


def _first(whole: Value) -> Value:
    return whole[0] if whole else None


def _items(entries: dict[str, Value]) -> Value:
    return [{"key": key, "value": entries[key]} for key in sorted(entries)]


def _of_array(values: tuple[Value, ...]) -> list[int]:
    return cast("list[int]", values[0]) if isinstance(values[0], list) else [*values]


def _least(*values: Value) -> int:
    return min(_of_array(values))


def _most(*values: Value) -> int:
    return max(_of_array(values))


def _range(first: int, count: int) -> Value:
    return list(range(first, first + count))


def _replace(text: str, old: str, new: str) -> str:
    return text.replace(old, new)


def _string(value: Value) -> str:
    return value if isinstance(value, str) else json.dumps(value, separators=(",", ":"))


def _lower(text: str) -> str:
    return text.lower()


def _upper(text: str) -> str:
    return text.upper()


_MANY = 99
_ON_AZURE: dict[str, tuple[int, int]] = {
    "environment": (0, 0),
    "extensionResourceId": (3, _MANY),
    "guid": (1, _MANY),
    "listAccountSas": (2, 3),
    "listKeys": (0, 3),
    "listServiceSas": (2, 3),
    "loadTextContent": (1, 2),
    "reference": (1, 3),
    "resourceGroup": (0, 2),
    "resourceId": (2, _MANY),
    "subscription": (0, 1),
    "subscriptionResourceId": (2, _MANY),
    "tenant": (0, 0),
    "uniqueString": (1, _MANY),
}
FUNCTIONS: dict[str, Function] = {name: Function(*taken) for name, taken in _ON_AZURE.items()} | {
    "cidrSubnet": Function(3, 3, _subnet),
    "concat": Function(1, _MANY, _concat),
    "contains": Function(2, 2, _contains),
    "empty": Function(1, 1, _empty),
    "first": Function(1, 1, _first),
    "int": Function(1, 1, int),
    "items": Function(1, 1, _items),
    "length": Function(1, 1, len),
    "max": Function(1, _MANY, _most),
    "min": Function(1, _MANY, _least),
    "range": Function(2, 2, _range),
    "replace": Function(3, 3, _replace),
    "string": Function(1, 1, _string),
    "toLower": Function(1, 1, _lower),
    "toUpper": Function(1, 1, _upper),
    "union": Function(2, _MANY, _union),
}
OF_TEXT = (
    "guid(", "resourceId(", "string(", "subscriptionResourceId(", "toLower(", "toUpper(",
    "uniqueString(", "replace(",
)  # fmt: skip
"""How what is known only to Azure begins, and is a string for certain."""
DECORATORS = {
    "allowed", "batchSize", "description", "maxLength", "maxValue", "metadata", "minLength",
    "minValue", "secure",
}  # fmt: skip


def is_later(value: Value) -> bool:
    if isinstance(value, (list, dict)):
        inside = cast("Sequence[Value]", value.values() if isinstance(value, dict) else value)
        return any(is_later(each) for each in inside)
    return isinstance(value, Later)


def operate(operator: str, left: Value, right: Value) -> Value:
    if operator == "==" and left == right:
        return True
    if isinstance(left, Later) or isinstance(right, Later):
        return Later(f"({left} {operator} {right})")
    if operator in ("==", "=~", "!=", "!~"):
        same = left == right
        if operator.endswith("~"):
            same = str(left).lower() == str(right).lower()
        return same is not operator.startswith("!")
    return _ARITHMETIC[operator](left, right)


def _divide(left: int, right: int) -> int:
    return math.trunc(left / right)


_ARITHMETIC: dict[str, Callable[[int, int], int | bool]] = {
    "+": op.add, "-": op.sub, "*": op.mul, "/": _divide, "%": op.mod,
    "<": op.lt, "<=": op.le, ">": op.gt, ">=": op.ge,
}  # fmt: skip
