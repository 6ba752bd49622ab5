"""What must hold of every deployment, whatever the templates look like.

A rule is a small function that asks the plan and says what it found wrong, and where; its
docstring says what breaks without it. RULES is the list of them all.
"""

from collections.abc import Iterator, Mapping
from functools import lru_cache

from infra.check.findings import Finding
from infra.check.plan import MAIN, Plan
from infra.check.rules import (
    access,
    app,
    database,
    demands,
    events,
    keeping,
    networks,
    order,
    secrets,
    switches,
    watching,
)
from infra.check.rules.complaints import Rule
from infra.check.syntax import Template

RULES: dict[str, Rule] = {
    rule.__name__.replace("_", "-"): rule
    for module in (
        access,
        app,
        database,
        events,
        keeping,
        networks,
        order,
        secrets,
        switches,
        watching,
    )
    for rule in module.RULES
} | demands.RULES


TEMPLATE_RULES = {rule.__name__.replace("_", "-"): rule for rule in secrets.TEMPLATE_RULES}
"""Those that ask what is written, not what comes of it."""


def check_templates(templates: Mapping[str, Template]) -> Iterator[Finding]:
    for template in templates.values():
        yield from _check_template(template)


@lru_cache(maxsize=256)
def _check_template(template: Template) -> tuple[Finding, ...]:
    return tuple(
        Finding(template.path, line, name, message)
        for name, rule in TEMPLATE_RULES.items()
        for line, message in rule(template)
    )


def check_rules(plan: Plan) -> Iterator[Finding]:
    for name, rule in RULES.items():
        try:
            complaints = list(rule(plan))
        except (AttributeError, KeyError, IndexError, TypeError, ValueError) as fault:
            complaints = [(None, f"cannot be asked, for something is missing: {fault!r}")]
        for resource, message in complaints:
            path, line = (resource.path, resource.line) if resource else (MAIN, 1)
            where = f"{resource.address}: " if resource else ""
            yield Finding(path, line, name, f"{where}{message}")
