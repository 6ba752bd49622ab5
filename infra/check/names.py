"""Names in one file: what is not there, what nobody uses, what is there twice."""

from collections import Counter
from collections.abc import Iterator
from difflib import get_close_matches
from functools import lru_cache

from infra.check import syntax
from infra.check.findings import Finding
from infra.check.functions import DECORATORS, FUNCTIONS
from infra.check.syntax import Declaration, Expression, Template

_NAMESPACES = frozenset({"az", "sys"})


@lru_cache(maxsize=256)
def check_names(template: Template) -> tuple[Finding, ...]:
    if template.faults:
        return tuple(Finding(template.path, line, "syntax", said) for line, said in template.faults)
    return tuple(_check(template))


def _check(template: Template) -> Iterator[Finding]:
    names = _Names(template)
    for declared in template.declarations:
        names.visit_declaration(declared)
    yield from names.findings
    yield from names.twice()
    yield from names.unused()


def did_you_mean(name: str, known: list[str]) -> str:
    close = get_close_matches(name, known, 1)
    return f"; did you mean {close[0]}?" if close else ""


class _Names:
    def __init__(self, template: Template) -> None:
        self._template = template
        self._declared = [
            each for each in template.declarations if each.kind not in ("output", "metadata")
        ]
        self._known = {each.name for each in self._declared}
        self._used: set[str] = set()
        self.findings: list[Finding] = []

    def visit_declaration(self, declared: Declaration) -> None:
        for decorator in declared.decorators:
            if decorator.function not in DECORATORS:
                self._found(decorator.line, "unknown-decorator", decorator.function, [*DECORATORS])
            for argument in decorator.arguments:
                self._visit(argument, frozenset())
        if declared.value is not None:
            self._visit(declared.value, frozenset())

    def twice(self) -> Iterator[Finding]:
        for kinds in (("param", "var", "resource", "module"), ("output",)):
            declared = [each for each in self._template.declarations if each.kind in kinds]
            counted = Counter(each.name for each in declared)
            for each in declared:
                if counted[each.name] > 1:
                    yield self._finding(each.line, "duplicate-name", f"{each.name} is there twice")

    def unused(self) -> Iterator[Finding]:
        for declared in self._declared:
            acts = declared.kind in ("resource", "module") and not declared.existing
            if not acts and declared.name not in self._used:
                yield self._finding(declared.line, "unused", f"nobody uses {declared.name}")

    def _finding(self, line: int, rule: str, message: str) -> Finding:
        return Finding(self._template.path, line, rule, message)

    def _found(self, line: int, rule: str, name: str, known: list[str]) -> None:
        said = f"there is no {name}{did_you_mean(name, known)}"
        self.findings.append(self._finding(line, rule, said))

    def _visit(self, expression: Expression, local: frozenset[str]) -> None:
        match expression:
            case syntax.Name(name=name) if name not in local | _NAMESPACES:
                self._used.add(name)
                if name not in self._known:
                    known = sorted(self._known | local)
                    self._found(expression.line, "undefined-name", name, known)
            case syntax.Call():
                self._visit_call(expression)
            case syntax.Loop():
                self._visit(expression.source, local)
                index = {expression.index} if expression.index else set[str]()
                self._visit(expression.body, local | {expression.item} | index)
                return
            case syntax.Object():
                self._visit_object(expression, local)
            case _:
                pass
        for below in syntax.children(expression):
            self._visit(below, local)

    def _visit_call(self, call: syntax.Call) -> None:
        known = FUNCTIONS.get(call.function)
        if known is None:
            self._found(call.line, "unknown-function", call.function, [*FUNCTIONS])
            return
        if not known.least <= len(call.arguments) <= known.most and call.of is None:
            said = f"{call.function} takes {known.least} to {known.most} arguments"
            self.findings.append(self._finding(call.line, "arguments", said))

    def _visit_object(self, whole: syntax.Object, local: frozenset[str]) -> None:
        keys = Counter(
            each.key.value for each in whole.properties if isinstance(each.key, syntax.Constant)
        )
        for each in whole.properties:
            if isinstance(each.key, syntax.Constant) and keys[each.key.value] > 1:
                said = f"{each.key.value} is there twice"
                self.findings.append(self._finding(each.line, "duplicate-property", said))
        for nested in whole.nested:
            if nested.value is not None:
                self._visit(nested.value, local)
