"""Calls in Python code that hand a statement to the database."""

import ast
from collections.abc import Iterator

_TAKING_STATEMENTS = {"execute", "executemany", "copy", "stream"}
_BUILDING_STATEMENTS = {"SQL", "Composed"}


def built_statements(source: str) -> Iterator[str]:
    """Each statement that is neither a literal nor one of a `.sql` file's, by line and text."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call) and not all(map(_is_fixed, _statements(node))):
            yield f"line {node.lineno}: {ast.unparse(node)}"


def _statements(call: ast.Call) -> list[ast.expr]:
    """What a call would have the database run; a call that builds one is one."""
    name = _name(call.func)
    if name in _BUILDING_STATEMENTS:
        return [call]
    if name not in _TAKING_STATEMENTS:
        return []
    return [*call.args[:1], *(given.value for given in call.keywords if given.arg == "query")]


def _name(called: ast.expr) -> str:
    if isinstance(called, ast.Attribute):
        return called.attr
    return called.id if isinstance(called, ast.Name) else ""


def _is_fixed(statement: ast.expr) -> bool:
    if isinstance(statement, ast.Constant):
        return isinstance(statement.value, str | bytes)
    if not isinstance(statement, ast.Subscript):
        return False
    return ast.unparse(statement.value) in {"_QUERIES", "self.queries"}
