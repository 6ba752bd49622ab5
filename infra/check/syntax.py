"""The part of Bicep that our templates are written in, as a tree of plain values.

It leaves out what Checkov's parser cannot read (lambdas, types, functions of our own, imports,
spread), for a file that a tool silently skips is a file that nobody checks.
"""

from dataclasses import dataclass, field
from posixpath import dirname, join, normpath
from typing import Literal


@dataclass(frozen=True)
class Constant:
    value: str | int | bool | None
    line: int


@dataclass(frozen=True)
class Text:
    """A string with `${...}` in it."""

    parts: tuple["Expression", ...]
    line: int


@dataclass(frozen=True)
class Name:
    name: str
    line: int


@dataclass(frozen=True)
class Member:
    """`of.name`, and `of::name` for a nested resource; `safe`, it may be missing (`of.?name`)."""

    of: "Expression"
    name: str
    line: int
    safe: bool = False


@dataclass(frozen=True)
class Item:
    of: "Expression"
    index: "Expression"
    line: int
    safe: bool = False


@dataclass(frozen=True)
class Call:
    """`function(...)`, or `of.function(...)`."""

    of: "Expression | None"
    function: str
    arguments: tuple["Expression", ...]
    line: int


@dataclass(frozen=True)
class Operation:
    """One operand for `!` and `-`, two for the others, three for `?`."""

    operator: str
    operands: tuple["Expression", ...]
    line: int


@dataclass(frozen=True)
class Array:
    items: tuple["Expression", ...]
    line: int


@dataclass(frozen=True)
class Property:
    key: "Constant | Text"
    value: "Expression"
    line: int


@dataclass(frozen=True)
class Object:
    properties: tuple[Property, ...]
    nested: tuple["Declaration", ...]
    line: int


@dataclass(frozen=True)
class Loop:
    item: str
    index: str | None
    source: "Expression"
    body: "Expression"
    line: int


@dataclass(frozen=True)
class When:
    condition: "Expression"
    body: "Expression"
    line: int


Expression = (
    Constant | Text | Name | Member | Item | Call | Operation | Array | Object | Loop | When
)
Kind = Literal["param", "var", "resource", "module", "output", "metadata"]


@dataclass(frozen=True)
class Declaration:
    """`source` is the type of a parameter or output, a module's path, or `type@version`."""

    kind: Kind
    name: str
    source: str
    value: Expression | None
    line: int
    existing: bool = False
    decorators: tuple[Call, ...] = ()

    def decorator(self, name: str) -> Call | None:
        return next((call for call in self.decorators if call.function == name), None)


@dataclass(frozen=True, eq=False)
class Template:
    """One file. `faults` are what keeps it from being read: line and sentence.

    A text is read once, so what is found out about a template is kept by the object itself.
    """

    path: str
    scope: str
    declarations: tuple[Declaration, ...]
    faults: tuple[tuple[int, str], ...] = field(default=())

    def of(self, *kinds: Kind) -> list[Declaration]:
        return [declared for declared in self.declarations if declared.kind in kinds]

    def named(self, kind: Kind, name: str) -> Declaration | None:
        return next((found for found in self.of(kind) if found.name == name), None)


def module_path(path: str, source: str) -> str:
    return normpath(join(dirname(path), source))


def children(expression: Expression) -> tuple[Expression, ...]:
    """The expressions right below this one, nested resources left out."""
    match expression:
        case Constant() | Name():
            return ()
        case Text(parts=below) | Array(items=below) | Operation(operands=below):
            return below
        case Member(of=of):
            return (of,)
        case Item(of=of, index=index):
            return (of, index)
        case Call(of=of, arguments=below):
            return below if of is None else (of, *below)
        case Object(properties=properties):
            return tuple(part for each in properties for part in (each.key, each.value))
        case Loop(source=first, body=second) | When(condition=first, body=second):
            return (first, second)


def inner(expression: Expression | None) -> Object | None:
    """The object that a resource or module is, whether or not it is looped or conditional."""
    while isinstance(expression, (Loop, When)):
        expression = expression.body
    return expression if isinstance(expression, Object) else None
