"""What has to be there before something else: Azure makes all at once that does not wait."""

from collections.abc import Iterator, Mapping
from functools import lru_cache
from itertools import pairwise

from infra.check import syntax
from infra.check.plan import Plan, Resource
from infra.check.rules.complaints import Complaints, Rule
from infra.check.rules.demands import SERVER
from infra.check.syntax import Template


def waits_for_existing(plan: Plan) -> Complaints:
    """Who names a resource as `existing` has to wait for the module that makes it."""
    made = {plan.names(each): each for each in plan.resources if not each.existing}
    for named in plan.resources:
        maker = made.get(plan.names(named)) if named.existing else None
        if maker is None:
            continue
        for user in plan.resources:
            if not user.existing and _uses(plan, user, named) and not _waits(plan, user, maker):
                yield user, f"does not wait for {maker.address}"


def _uses(plan: Plan, user: Resource, named: Resource) -> bool:
    """Whether it stands in it, is given on it, or speaks of it: all in one module."""
    if user.address.rpartition("/")[0] != named.address.rpartition("/")[0]:
        return False
    for place in (user.parent, user.scope):
        above = plan.at(place) if place else None
        while above is not None:
            if above.address == named.address:
                return True
            above = plan.at(above.parent) if above.parent else None
    return f"{named.address}.id" in str(user.body.get("properties"))


def _waits(plan: Plan, user: Resource, maker: Resource) -> bool:
    prefix = _common(user.address, maker.address)
    template = plan.stacks[prefix]
    return _symbol(maker, prefix) in reached(template, _symbol(user, prefix))


def _common(one: str, other: str) -> str:
    """The stack that both stand in, by the prefix of their addresses."""
    common: list[str] = []
    for left, right in zip(one.split("/")[:-1], other.split("/")[:-1], strict=False):
        if left != right:
            break
        common.append(left)
    return "".join(f"{step}/" for step in common)


def _symbol(resource: Resource, prefix: str) -> str:
    first = resource.address.removeprefix(prefix).partition("/")[0]
    return first.partition("[")[0].partition("::")[0]


@lru_cache(maxsize=4096)
def reached(template: Template, name: str) -> frozenset[str]:
    """All declarations that this one waits for: what it speaks of, and what that speaks of."""
    mentions = _mentions(template)
    waiting, seen = [name], set[str]()
    while waiting:
        for each in mentions.get(waiting.pop(), frozenset()):
            if each not in seen:
                seen.add(each)
                waiting.append(each)
    return frozenset(seen)


@lru_cache(maxsize=256)
def _mentions(template: Template) -> Mapping[str, frozenset[str]]:
    return {
        each.name: frozenset(_names(each.value))
        for each in template.declarations
        if each.kind != "output"
    }


def _names(expression: syntax.Expression | None) -> Iterator[str]:
    if isinstance(expression, syntax.Name):
        yield expression.name
    elif expression is not None:
        for below in syntax.children(expression):
            yield from _names(below)


def server_changes_in_turn(plan: Plan) -> Complaints:
    """The database server takes one change at a time and refuses the others."""
    for server in plan.of(SERVER):
        prefix = server.address.rpartition("/")[0] + "/"
        parts = [each for each in plan.of(*_CHANGES) if each.parent == server.address]
        symbols = sorted({_symbol(each, prefix) for each in parts})
        template = plan.stacks[prefix]
        for number, one in enumerate(symbols):
            for other in symbols[number + 1 :]:
                if other not in reached(template, one) and one not in reached(template, other):
                    yield server, f"{one} and {other} do not wait for each other"
        for each in parts:
            declared = template.named("resource", _symbol(each, prefix))
            if "[" in each.address and declared and not declared.decorator("batchSize"):
                yield each, "is made with others at once: @batchSize(1) is missing"


def database_gets_an_owner(plan: Plan) -> Complaints:
    """Made before anybody administers the server, it is Azure's own: no role gets a right on it.

    A server that was made a moment ago takes no administrator yet, so its settings come first.
    """
    for server in plan.of(SERVER):
        prefix = server.address.rpartition("/")[0] + "/"
        by_kind = {
            each.type.rpartition("/")[2]: _symbol(each, prefix)
            for each in plan.of(*_CHANGES)
            if each.parent == server.address
        }
        order = ("databases", "administrators", "configurations")
        for later, earlier in pairwise(order):
            waits = reached(plan.stacks[prefix], by_kind.get(later, ""))
            if by_kind.get(earlier) not in waits:
                yield server, f"its {later} do not wait for its {earlier}"


_CHANGES = tuple(
    f"{SERVER}/{kind}"
    for kind in ("databases", "administrators", "configurations", "firewallRules")
)

RULES: tuple[Rule, ...] = (waits_for_existing, server_changes_in_turn, database_gets_an_owner)
