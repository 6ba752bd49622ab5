"""What an expression comes to, as far as it can be known without Azure."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, cast

from infra.check import syntax
from infra.check.functions import FUNCTIONS, Later, Value, is_later, operate
from infra.check.syntax import Expression

Locals = Mapping[str, Value]
Lookup = Callable[[str], Value]


class Wrong(Exception):
    """An expression that cannot be what its writer meant."""

    def __init__(self, line: int, rule: str, message: str) -> None:
        super().__init__(message)
        self.line, self.rule = line, rule


@dataclass(frozen=True)
class Reference:
    """A resource as others see it: where it stands, its name, and whether it is deployed."""

    address: str
    type: str
    name: Value
    deployed: bool
    nested: Mapping[str, "Reference | list[Reference]"]

    def member(self, name: str) -> Value:
        if name in self.nested:
            return self.nested[name]
        # Of the rest, links.py knows what is read of each type.
        return self.name if name == "name" else Later(f"{self.address}.{name}")


@dataclass(frozen=True)
class Outputs:
    """A module as others see it."""

    address: str
    deployed: bool
    output: Callable[[str], Value] = field(repr=False)

    def member(self, name: str) -> Value:
        if name == "outputs":
            return self
        return Later(f"{self.address}.name") if name == "name" else self.output(name)


def evaluate(expression: Expression, lookup: Lookup, local: Locals) -> Value:
    match expression:
        case syntax.Constant(value=value):
            return value
        case syntax.Name(name=name):
            return local[name] if name in local else lookup(name)
        case syntax.Text(parts=parts):
            return _interpolate([evaluate(part, lookup, local) for part in parts])
        case syntax.Array(items=items):
            return [evaluate(item, lookup, local) for item in items]
        case syntax.Object():
            return evaluate_object(expression, lookup, local)
        case syntax.Member(of=of, name=name, safe=safe):
            return _safely(safe, _member, evaluate(of, lookup, local), name, expression.line)
        case syntax.Item(of=of, index=index, safe=safe):
            whole = evaluate(of, lookup, local)
            return _safely(safe, _item, whole, evaluate(index, lookup, local), expression.line)
        case _:
            return _compound(expression, lookup, local)


def _compound(expression: Expression, lookup: Lookup, local: Locals) -> Value:
    match expression:
        case syntax.Call():
            return _call(expression, lookup, local)
        case syntax.Operation(operator=operator, operands=operands):
            return _operation(operator, operands, lookup, local)
        case syntax.Loop():
            return [
                evaluate(expression.body, lookup, each)
                for each in rounds(expression, lookup, local)
            ]
        case _:
            raise Wrong(expression.line, "condition", "only resources and modules are conditional")


def evaluate_object(expression: syntax.Object, lookup: Lookup, local: Locals) -> dict[str, Value]:
    whole: dict[str, Value] = {}
    for each in expression.properties:
        key = str(evaluate(each.key, lookup, local))
        if key in whole:
            raise Wrong(each.line, "duplicate-property", f"{key} is there twice")
        whole[key] = evaluate(each.value, lookup, local)
    return whole


def rounds(loop: syntax.Loop, lookup: Lookup, local: Locals) -> list[dict[str, Value]]:
    """The loop variables of each round."""
    source = evaluate(loop.source, lookup, local)
    if isinstance(source, Later):
        source = [Later(f"{source}[*]")]
    if not isinstance(source, list):
        raise Wrong(loop.line, "kind", "a loop goes through an array")
    rest = [loop.index] if loop.index else []
    return [
        {**local, loop.item: item, **dict.fromkeys(rest, number)}
        for number, item in enumerate(cast("list[Value]", source))
    ]


def _interpolate(parts: list[Value]) -> str:
    whole = "".join(_shown(part) for part in parts)
    return Later(whole) if any(is_later(part) for part in parts) else whole


def _shown(part: Value) -> str:
    if isinstance(part, bool):
        return "True" if part else "False"
    return f"{{{part}}}" if isinstance(part, Later) else str(part)


def _safely(safe: bool, get: Callable[..., Value], of: Value, key: Value, line: int) -> Value:
    try:
        return get(of, key, line)
    except Wrong as wrong:
        if safe and wrong.rule == "undefined-member":
            return None
        raise


def _member(of: Value, name: str, line: int) -> Value:
    if isinstance(of, (Reference, Outputs)):
        if not of.deployed:
            raise Wrong(line, "not-deployed", f"{of.address} is not deployed here")
        return of.member(name)
    if isinstance(of, Later):
        return Later(f"{of}.{name}")
    if not isinstance(of, dict):
        raise Wrong(line, "undefined-member", f"nothing has a member {name} here")
    whole = cast("dict[str, Value]", of)
    if name not in whole:
        raise Wrong(line, "undefined-member", f"there is no {name} among {', '.join(whole)}")
    return whole[name]


def _item(of: Value, index: Value, line: int) -> Value:
    if isinstance(of, Later) or isinstance(index, Later):
        return Later(f"{of}[{index}]")
    if isinstance(index, str):
        return _member(of, index, line)
    if not isinstance(of, list) or not -1 < index < len(cast("list[Value]", of)):
        raise Wrong(line, "undefined-member", f"there is no item {index} here")
    return cast("list[Value]", of)[index]


def _operation(
    operator: str, operands: tuple[Expression, ...], lookup: Lookup, local: Locals
) -> Value:
    first = evaluate(operands[0], lookup, local)
    match operator:
        case "?":
            return _choose(first, operands[1:], lookup, local)
        case "!" | "-" if len(operands) == 1:
            if isinstance(first, Later):
                return Later(f"{operator}{first}")
            return not first if operator == "!" else -first
        case "??":
            return evaluate(operands[1], lookup, local) if first is None else first
        case "&&" | "||":
            if first is (operator == "||"):
                return first
            second = evaluate(operands[1], lookup, local)
            return Later(f"({first} {operator} {second})") if isinstance(first, Later) else second
        case _:
            return _operate(operator, first, evaluate(operands[1], lookup, local), operands[0].line)


def _operate(operator: str, left: Value, right: Value, line: int) -> Value:
    try:
        return operate(operator, left, right)
    except (ArithmeticError, TypeError) as fault:
        raise Wrong(line, "kind", f"cannot be worked out: {fault}") from fault


def _choose(
    condition: Value, sides: tuple[Expression, ...], lookup: Lookup, local: Locals
) -> Value:
    if not isinstance(condition, Later):
        return evaluate(sides[0 if condition else 1], lookup, local)
    yes, no = (evaluate(side, lookup, local) for side in sides)
    return yes if yes == no else Later(f"({condition} ? {yes} : {no})")


def _call(call: syntax.Call, lookup: Lookup, local: Locals) -> Value:
    arguments = [evaluate(argument, lookup, local) for argument in call.arguments]
    said = Later(f"{call.function}({', '.join(_address(argument) for argument in arguments)})")
    if call.of is not None and not _is_namespace(call.of):
        of = evaluate(call.of, lookup, local)
        return Later(f"{_address(of)}.{said}")
    function = FUNCTIONS.get(call.function)
    if function is None or function.work_out is None:
        return said
    if any(isinstance(argument, Later) for argument in arguments):
        return False if call.function == "empty" and _is_id(arguments[0]) else said
    try:
        result = function.work_out(*arguments)
        return Later(result) if isinstance(result, str) and is_later(arguments) else result
    except (TypeError, ValueError, AttributeError, IndexError) as fault:
        raise Wrong(call.line, "kind", f"{call.function} cannot take this: {fault}") from fault


def _is_id(value: Later) -> bool:
    """What is not known yet, but is not empty."""
    return value.endswith(".id") or value.startswith("resourceId(")


def _is_namespace(of: Expression) -> bool:
    return isinstance(of, syntax.Name) and of.name in ("az", "sys")


def _address(value: Any) -> str:
    return value.address if isinstance(value, (Reference, Outputs)) else str(value)
