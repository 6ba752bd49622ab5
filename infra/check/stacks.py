"""From templates and parameters to a plan: each template is a stack of what it declares."""

from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from typing import Any

from infra.check import syntax
from infra.check.findings import Finding
from infra.check.functions import Later, Value
from infra.check.kinds import misfits
from infra.check.plan import MAIN, Plan, Resource
from infra.check.syntax import Declaration, Template, module_path
from infra.check.values import Locals, Outputs, Reference, Wrong, evaluate, evaluate_object, rounds


def plan(
    templates: Mapping[str, Template], given: Mapping[str, Value], *, is_changed: bool = False
) -> Plan:
    made = Plan(templates, is_changed)
    if MAIN in templates:
        stack = _Stack(made, templates[MAIN], "", given)
        made.outputs = stack.deploy()
        made.parameters = stack.parameters()
    return made


class _Stack:
    """One template with the parameters it was given."""

    def __init__(
        self, made: Plan, template: Template, prefix: str, given: Mapping[str, Value]
    ) -> None:
        self.made, self.template, self._prefix, self._given = made, template, prefix, given
        made.stacks[prefix] = template
        self._known: dict[str, Value] = {}
        self._working_out: set[str] = set()
        self._declared = {
            each.name: each
            for each in template.declarations
            if each.kind not in ("output", "metadata")
        }

    def deploy(self) -> dict[str, Value]:
        """Plans everything in it, and gives its outputs."""
        outputs: dict[str, Value] = {}
        for declared in self.template.of("param", "var", "resource", "module"):
            with self._guard():
                self.lookup(declared.name)
        for declared in self.template.of("output"):
            with self._guard():
                outputs[declared.name] = self.output(declared.name)
        for declared in self.template.of("resource"):
            with self._guard():
                self._make(declared, None, {})
        return outputs

    def parameters(self) -> dict[str, Value]:
        return {each.name: self._known.get(each.name) for each in self.template.of("param")}

    @contextmanager
    def _guard(self) -> Generator[None]:
        try:
            yield
        except Wrong as wrong:
            self._found(wrong.line, wrong.rule, str(wrong))

    def _found(self, line: int, rule: str, message: str) -> None:
        self.made.findings.add(Finding(self.template.path, line, rule, message))

    def lookup(self, name: str) -> Value:
        if name in self._known:
            return self._known[name]
        declared = self._declared.get(name)
        if declared is None:
            return Later(name)
        if name in self._working_out:
            raise Wrong(declared.line, "cycle", f"{name} is worked out from itself")
        self._working_out.add(name)
        try:
            self._known[name] = self._value(declared)
        finally:
            self._working_out.discard(name)
        return self._known[name]

    def output(self, name: str) -> Value:
        declared = self.template.named("output", name)
        if declared is None or declared.value is None:
            return Later(f"{self._prefix}{name}")
        value = evaluate(declared.value, self.lookup, {})
        for message in misfits(declared, value):
            self._found(declared.line, "kind", message)
        return value

    def _value(self, declared: Declaration) -> Value:
        match declared.kind:
            case "param":
                return self._param(declared)
            case "resource":
                return self._each(
                    declared, {}, lambda local, key: self._refer(declared, None, local, key)
                )
            case "module":
                return self._each(
                    declared, {}, lambda local, key: self._module(declared, local, key)
                )
            case _:
                return evaluate(declared.value, self.lookup, {}) if declared.value else None

    def _param(self, declared: Declaration) -> Value:
        if declared.name in self._given:
            value = self._given[declared.name]
        elif declared.value is not None:
            value = evaluate(declared.value, self.lookup, {})
        else:
            return Later(declared.name)
        for message in misfits(declared, value):
            self._found(declared.line, "kind", message)
        return value

    def _each(
        self, declared: Declaration, local: Locals, act: Callable[[Locals, str], Value]
    ) -> Value:
        if isinstance(declared.value, syntax.Loop):
            turns = rounds(declared.value, self.lookup, local)
            return [act(turn, self._key(declared.value, turn, n)) for n, turn in enumerate(turns)]
        return act(local, "")

    def _key(self, loop: syntax.Loop, turn: Mapping[str, Value], number: int) -> str:
        item = turn[loop.item]
        return f"[{item}]" if isinstance(item, str) else f"[{number}]"

    def _deployed(self, declared: Declaration, local: Locals) -> bool:
        body = declared.value.body if isinstance(declared.value, syntax.Loop) else declared.value
        if not isinstance(body, syntax.When):
            return True
        return bool(evaluate(body.condition, self.lookup, local))

    def _refer(
        self, declared: Declaration, above: Reference | None, local: Locals, key: str
    ) -> Reference:
        body = syntax.inner(declared.value)
        names = (
            [
                each.value
                for each in body.properties
                if each.key == syntax.Constant("name", each.key.line)
            ]
            if body
            else []
        )
        kind = declared.source.partition("@")[0]
        address = f"{above.address}::{declared.name}" if above else f"{self._prefix}{declared.name}"
        nested: dict[str, Any] = {}
        reference = Reference(
            address + key,
            f"{above.type}/{kind}" if above else kind,
            evaluate(names[0], self.lookup, local) if names else "",
            self._deployed(declared, local),
            nested,
        )
        for below in body.nested if body else ():
            nested[below.name] = self._each(
                below, local, lambda turn, k, one=below: self._refer(one, reference, turn, k)
            )
        return reference

    def _make(self, declared: Declaration, above: Reference | None, local: Locals) -> None:
        """Adds this resource, and those nested in it, to the plan."""

        def one(turn: Locals, key: str) -> None:
            reference = self._refer(declared, above, turn, key)
            body = syntax.inner(declared.value)
            if not reference.deployed or body is None:
                return
            worked_out = evaluate_object(body, self.lookup, turn)
            self._add(declared, reference, above, worked_out)
            for below in body.nested:
                self._make(below, reference, turn)

        self._each(declared, local, one)

    def _add(
        self,
        declared: Declaration,
        reference: Reference,
        above: Reference | None,
        body: dict[str, Value],
    ) -> None:
        parent = body.get("parent", above)
        scope = body.get("scope")
        self.made.by_address[reference.address] = Resource(
            reference.type,
            declared.source.partition("@")[2],
            reference.address,
            parent.address if isinstance(parent, Reference) else None,
            scope.address if isinstance(scope, Reference) else str(scope or ""),
            body,
            self.template.path,
            declared.line,
            declared.existing,
        )

    def _module(self, declared: Declaration, local: Locals, key: str) -> Outputs:
        address = f"{self._prefix}{declared.name}{key}"
        template = self.made.templates.get(module_path(self.template.path, declared.source))
        deployed = self._deployed(declared, local)
        body = syntax.inner(declared.value)
        if template is None or body is None or not deployed:
            return Outputs(address, deployed, lambda name: Later(f"{address}.{name}"))
        worked_out = evaluate_object(body, self.lookup, local)
        stack = _Stack(self.made, template, f"{address}/", worked_out.get("params") or {})
        stack.deploy()
        return Outputs(address, deployed, stack.output)  # worked out when asked for, a second time
