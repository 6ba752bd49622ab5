"""Mistakes, made one at a time in the real files, and changes that mean nothing.

Each way to make one is an operator: it goes through a file and gives the places where it can be
made, so that a new resource gets its mistakes without anybody writing them down.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from tree_sitter import Node

from infra.check.reading import parse


@dataclass(frozen=True)
class Mutation:
    operator: str
    path: str
    line: int
    start: int
    end: int
    text: str
    before: str

    def __str__(self) -> str:
        return f"{self.operator} {self.path}:{self.line} {self.before[:60]!r} -> {self.text[:60]!r}"

    def applied(self, sources: Mapping[str, str]) -> dict[str, str]:
        content = sources[self.path].encode()
        mutated = content[: self.start] + self.text.encode() + content[self.end :]
        return {**sources, self.path: mutated.decode()}


Found = Iterator[tuple[Node, str]]
Operator = Callable[[Node], Found]


def mutations(sources: Mapping[str, str], operators: Mapping[str, Operator]) -> list[Mutation]:
    return [
        Mutation(
            name, path, node.start_point.row + 1, node.start_byte, node.end_byte, text, _text(node)
        )
        for name, operator in operators.items()
        for path, source in sources.items()
        if path.endswith(".bicep")
        for node, text in operator(parse(source))
    ]


_NAMES = ("name", "groupShortName")
"""What may be called anything."""
_OF_TASTE = ("severity", "badLooks", "threshold")


def _text(node: Node) -> str:
    return (node.text or b"").decode()


def _walk(node: Node) -> Iterator[Node]:
    yield node
    for child in node.children:
        yield from _walk(child)


def _of(root: Node, *types: str) -> Iterator[Node]:
    return (node for node in _walk(root) if node.type in types)


def _misspelt(word: str) -> str:
    return word[:-2] + word[-1] + word[-2] if word[-1:] != word[-2:-1] else word[:-1]


def _within(node: Node, *types: str) -> bool:
    above = node.parent
    while above is not None:
        if above.type in types:
            return True
        above = above.parent
    return False


def _key(node: Node) -> str:
    return _text(node.named_children[0]) if node.named_children else ""


def _is_reference(node: Node) -> bool:
    """An identifier in an expression, not one that names what is declared here."""
    above = node.parent
    if above is None or node.type != "identifier" or _within(node, "decorator", "type"):
        return False
    if above.type.endswith("_declaration") or above.type in ("object_property", "call_expression"):
        return above.type == "call_expression" or above.named_children[0] != node
    return above.type not in ("loop_variable", "loop_enumerator") and not (
        above.type == "for_statement" and above.named_children[0] == node
    )


def delete_brace(root: Node) -> Found:
    yield from ((node, "") for node in _of(root, "}", "]", ")"))


def delete_quote(root: Node) -> Found:
    yield from ((node, "") for node in _of(root, "'"))


def delete_equals(root: Node) -> Found:
    yield from ((node, "") for node in _of(root, "=", ":"))


def misspell_reference(root: Node) -> Found:
    yield from ((node, _misspelt(_text(node))) for node in _walk(root) if _is_reference(node))


def misspell_member(root: Node) -> Found:
    """`x.properties.name`: what a resource gives is known to Azure alone, and is left out."""
    for node in _of(root, "property_identifier"):
        of = _text(node.parent.named_children[0]) if node.parent else ""
        if of.endswith(".outputs") or "." not in of:
            known_later = re.search(r"\)$|^(account|server|topic|vault|app|insights|identity)$", of)
            if not known_later and _text(node) not in ("id", "outputs"):
                yield node, _misspelt(_text(node))


def misspell_property(root: Node) -> Found:
    for node in _of(root, "object_property"):
        if _within(node, "resource_declaration", "module_declaration") and len(_key(node)) > 1:
            yield node.named_children[0], _misspelt(_key(node))


def drop_property(root: Node) -> Found:
    for node in _of(root, "object_property"):
        if _within(node, "resource_declaration", "module_declaration"):
            yield node, ""


def flip_boolean(root: Node) -> Found:
    for node in _of(root, "boolean"):
        yield node, "false" if _text(node) == "true" else "true"


def misspell_value(root: Node) -> Found:
    for node in _of(root, "string_content"):
        word = _text(node)
        above = node.parent.parent if node.parent else None
        named = above and above.type == "object_property" and _key(above) in _NAMES
        if named and word != "default":
            continue
        if re.fullmatch(r"[A-Za-z][\w.,/]{2,}", word) and _within(node, "resource_declaration"):
            yield node, _misspelt(word)


def drop_item(root: Node) -> Found:
    for node in _of(root, "array"):
        if _within(node, "resource_declaration", "module_declaration", "variable_declaration"):
            yield from ((item, "") for item in node.named_children if item.type != "comment")


def drop_declaration(root: Node) -> Found:
    for node in root.named_children:
        if node.type.endswith("_declaration") and node.type != "metadata_declaration":
            yield node, ""


def change_version(root: Node) -> Found:
    for node in _of(root, "resource_declaration"):
        source = node.named_children[1]
        yield source, re.sub(r"@\d{4}", "@2019", _text(source))


def misspell_type(root: Node) -> Found:
    for node in _of(root, "resource_declaration"):
        source = node.named_children[1]
        yield source, re.sub(r"(\w)(\w)@", r"\2\1@", _text(source))


def misspell_path(root: Node) -> Found:
    for node in _of(root, "module_declaration"):
        source = node.named_children[1]
        yield source, _text(source).replace(".bicep", "s.bicep")


def change_role(root: Node) -> Found:
    owner = "8e3af657-a8ff-443c-a75c-2fe8c4bcb635"
    for node in _of(root, "string_content"):
        if re.fullmatch(r"[0-9a-f-]{36}", _text(node)):
            yield node, owner


def negate_condition(root: Node) -> Found:
    for node in _of(root, "if_statement"):
        condition = node.named_children[0]
        yield condition, f"(!{_text(condition)})"


def swap_ternary(root: Node) -> Found:
    for node in _of(root, "ternary_expression"):
        condition, yes, no = (_text(part) for part in node.named_children)
        yield node, f"{condition} ? {no} : {yes}"


def change_type(root: Node) -> Found:
    other = {"string": "int", "int": "bool", "bool": "string", "array": "object", "object": "array"}
    for node in _of(root, "primitive_type"):
        yield node, other[_text(node)]


def repeat_declaration(root: Node) -> Found:
    for node in root.named_children:
        if node.type.endswith("_declaration"):
            yield node, f"{_text(node)}\n{_text(node)}"


def repeat_property(root: Node) -> Found:
    for node in _of(root, "object_property"):
        yield node, f"{_text(node)}\n{_text(node)}"


def _numbers(root: Node) -> Iterator[Node]:
    """Those that are no matter of taste."""
    for node in _of(root, "number"):
        key = _key(node.parent) if node.parent else ""
        if not _within(node, "decorators", "parameter_declaration") and key not in _OF_TASTE:
            yield node


def shrink_number(root: Node) -> Found:
    yield from ((node, "0") for node in _numbers(root) if _text(node) != "0")


def grow_number(root: Node) -> Found:
    yield from ((node, "100000") for node in _numbers(root))


def reverse_operation(root: Node) -> Found:
    other = {"==": "!=", "*": "+", "/": "*", "+": "-", "-": "+", "&&": "||", "??": "=="}
    for node in _of(root, "binary_expression"):
        operator = next(child for child in node.children if not child.is_named)
        yield operator, other[_text(operator)]


OPERATORS: dict[str, Operator] = {
    operator.__name__.replace("_", "-"): operator
    for operator in (
        delete_brace, delete_quote, delete_equals, misspell_reference, misspell_member,
        misspell_property, drop_property, flip_boolean, misspell_value, drop_item,
        drop_declaration, change_version, misspell_type, misspell_path, change_role,
        negate_condition, swap_ternary, change_type, repeat_declaration, repeat_property,
        shrink_number, grow_number, reverse_operation,
    )
}  # fmt: skip
