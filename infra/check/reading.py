"""From the text of a Bicep file to its tree; what cannot be read is said, never guessed."""

from functools import lru_cache

from tree_sitter import Node
from tree_sitter_language_pack import get_parser

from infra.check import syntax
from infra.check.syntax import Declaration, Expression, Kind, Template

_KINDS: dict[str, Kind] = {
    "parameter_declaration": "param",
    "variable_declaration": "var",
    "resource_declaration": "resource",
    "module_declaration": "module",
    "output_declaration": "output",
    "metadata_declaration": "metadata",
}
_ESCAPES = {r"\n": "\n", r"\r": "\r", r"\t": "\t", r"\'": "'", r"\$": "$", "\\\\": "\\"}
_LISTS = ("object", "array", "infrastructure")
_SAID = ("comment", "diagnostic_comment")


class Unreadable(Exception):
    """Outside the part of Bicep that our templates are written in."""

    def __init__(self, node: Node, why: str) -> None:
        super().__init__(why)
        self.line = node.start_point.row + 1


@lru_cache(maxsize=256)
def read(path: str, text: str) -> Template:
    root = parse(text)
    if root.has_error:
        return Template(path, "", (), tuple(_broken(root)))
    faults = [*_crowded(root)]
    declarations: list[Declaration] = []
    scope = "resourceGroup"
    decorators: tuple[syntax.Call, ...] = ()
    for node in _parts(root):
        try:
            if node.type == "target_scope_assignment":
                scope = _text(_parts(node)[0])
            elif node.type == "decorators":
                decorators = tuple(_decorator(each) for each in _parts(node))
            else:
                declarations.append(_declaration(node, decorators))
                decorators = ()
        except Unreadable as fault:
            faults.append((fault.line, str(fault)))
    return Template(path, scope, tuple(declarations), tuple(faults))


def parse(text: str) -> Node:
    return get_parser("bicep").parse(text.encode()).root_node


def _broken(node: Node) -> list[tuple[int, str]]:
    if node.is_missing:
        return [(node.start_point.row + 1, f"{node.type} is missing")]
    if node.is_error:
        return [(node.start_point.row + 1, f"cannot be read: {_text(node)[:40]!r}")]
    return [fault for child in node.children if child.has_error for fault in _broken(child)] or [
        (node.start_point.row + 1, "cannot be read")
    ]


def _crowded(node: Node) -> list[tuple[int, str]]:
    """The grammar takes several on one line; Bicep wants a comma or a new line between them."""
    faults: list[tuple[int, str]] = []
    before: Node | None = None
    for child in node.children:
        if before and child.is_named and before.is_named and child.type not in _SAID:
            # What stands right beside it is one item with it: see _items.
            same_line = before.end_point.row == child.start_point.row
            if node.type in _LISTS and same_line and before.end_byte != child.start_byte:
                faults.append((child.start_point.row + 1, "a comma or a new line is missing"))
        before = child
        faults.extend(_crowded(child))
    return faults


def _parts(node: Node) -> list[Node]:
    return [child for child in node.named_children if child.type not in _SAID]


def _text(node: Node) -> str:
    text = _source(node)
    return text[1:-1] if node.type == "string" else text


def _verbatim(node: Node) -> bool:
    return (node.text or b"").startswith(b"'''")


def _line(node: Node) -> int:
    return node.start_point.row + 1


def _decorator(node: Node) -> syntax.Call:
    call = _expression(_parts(node)[0])
    if not isinstance(call, syntax.Call):
        raise Unreadable(node, "a decorator is a call")
    return call


def _declaration(node: Node, decorators: tuple[syntax.Call, ...]) -> Declaration:
    kind = _KINDS.get(node.type)
    if kind is None:
        raise Unreadable(node, f"Checkov cannot read a {node.type}: do without it")
    name, *rest = _parts(node)
    source = ""
    if kind in ("param", "output"):
        source = _primitive(rest.pop(0))
    elif kind in ("resource", "module"):
        source = _text(rest.pop(0))
    return Declaration(
        kind,
        _text(name),
        source,
        _expression(rest[0]) if rest else None,
        _line(node),
        any(child.type == "existing" for child in node.children),
        decorators,
    )


def _primitive(node: Node) -> str:
    if [part.type for part in _parts(node)] != ["primitive_type"]:
        raise Unreadable(node, f"Checkov cannot read the type {_text(node)}: use a plain one")
    return _text(node)


def _expression(node: Node) -> Expression:
    line, parts = _line(node), _parts(node)
    match node.type:
        case "string":
            return _string(node)
        case "number":
            return syntax.Constant(int(_text(node)), line)
        case "boolean":
            return syntax.Constant(_text(node) == "true", line)
        case "null":
            return syntax.Constant(None, line)
        case "identifier":
            return syntax.Name(_text(node), line)
        case "parenthesized_expression" if parts:
            return _expression(parts[0])
        case "array":
            return syntax.Array(tuple(_expression(item) for item in _items(parts)), line)
        case "object":
            return _object(node)
        case "member_expression" | "resource_expression":
            return syntax.Member(_expression(parts[0]), _text(parts[1]), line, _is_safe(node))
        case "subscript_expression":
            of, index = (_expression(part) for part in parts)
            return syntax.Item(of, index, line, _is_safe(node))
        case _:
            return _compound(node, line, parts)


def _compound(node: Node, line: int, parts: list[Node]) -> Expression:
    match node.type:
        case "call_expression":
            return _call(parts, line)
        case "unary_expression" | "binary_expression":
            operator = next(_text(child) for child in node.children if not child.is_named)
            return syntax.Operation(operator, tuple(_expression(part) for part in parts), line)
        case "ternary_expression":
            if node.start_point.row != node.end_point.row and "{" not in _text(node):
                raise Unreadable(node, "Checkov cannot read a ternary over several lines")
            return syntax.Operation("?", tuple(_expression(part) for part in parts), line)
        case "for_statement":
            return _loop(parts, line)
        case "if_statement":
            return syntax.When(_expression(parts[0]), _expression(parts[1]), line)
        case _:
            raise Unreadable(node, f"Checkov cannot read a {node.type}: do without it")


def _is_safe(node: Node) -> bool:
    return any(child.type in ("?", ".?") for child in node.children)


def _items(parts: list[Node]) -> list[Node]:
    """The grammar takes `f().x` and `f[0]` for two items of an array: read them by themselves."""
    items: list[list[Node]] = []
    for part in parts:
        if items and items[-1][-1].end_byte == part.start_byte:
            items[-1].append(part)
        else:
            items.append([part])
    return [item[0] if len(item) == 1 else _again(item) for item in items]


def _again(item: list[Node]) -> Node:
    text = "".join(_source(part) for part in item)
    lines = "\n" * item[0].start_point.row
    return _parts(_parts(parse(f"{lines}var x = {text}\n"))[0])[1]


def _source(node: Node) -> str:
    return (node.text or b"").decode()


def _call(parts: list[Node], line: int) -> syntax.Call:
    arguments = tuple(_expression(part) for part in _parts(parts[1]))
    function = _expression(parts[0])
    if isinstance(function, syntax.Member):
        return syntax.Call(function.of, function.name, arguments, line)
    return syntax.Call(None, _text(parts[0]), arguments, line)


def _loop(parts: list[Node], line: int) -> syntax.Loop:
    names = [_text(part) for part in _parts(parts[0])] or [_text(parts[0])]
    index = names[1] if len(names) > 1 else None
    return syntax.Loop(names[0], index, _expression(parts[1]), _expression(parts[2]), line)


def _object(node: Node) -> syntax.Object:
    properties: list[syntax.Property] = []
    nested: list[Declaration] = []
    for part in _parts(node):
        inside = _parts(part)
        if inside[0].type == "resource_declaration":
            nested.append(_declaration(inside[0], ()))
            continue
        key = inside[0]
        said = _string(key) if key.type == "string" else syntax.Constant(_text(key), _line(key))
        properties.append(syntax.Property(said, _expression(inside[1]), _line(part)))
    return syntax.Object(tuple(properties), tuple(nested), _line(node))


def _string(node: Node) -> syntax.Constant | syntax.Text:
    pieces: list[Expression] = []
    for part in _parts(node):
        if part.type == "interpolation":
            pieces.append(_expression(_parts(part)[0]))
        else:
            said = _text(part)
            said = _ESCAPES.get(said, said) if part.type == "escape_sequence" else said
            pieces.append(syntax.Constant(said, _line(part)))
    if all(isinstance(piece, syntax.Constant) for piece in pieces):
        said = "".join(str(piece.value) for piece in pieces if isinstance(piece, syntax.Constant))
        return syntax.Constant(said.removeprefix("\n") if _verbatim(node) else said, _line(node))
    return syntax.Text(tuple(pieces), _line(node))
