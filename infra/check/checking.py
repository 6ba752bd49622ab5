"""The whole check of a set of files: a function from their texts to what is wrong with them."""

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from infra.check.findings import Finding
from infra.check.forms import check_forms
from infra.check.functions import Later, Value
from infra.check.hooks import check_hooks
from infra.check.kinds import allowed, extreme, filling
from infra.check.links import check_links
from infra.check.names import check_names
from infra.check.plan import MAIN, Plan
from infra.check.reading import read
from infra.check.rules import check_rules, check_templates
from infra.check.stacks import plan
from infra.check.syntax import Declaration, Template

PARAMETERS = "infra/main.parameters.json"


def sources(root: Path) -> dict[str, str]:
    """The files that are checked, by their path from the root of the checkout."""
    found = [*root.glob("infra/**/*.bicep"), *root.glob("infra/hooks/*.*"), root / PARAMETERS]
    return {
        each.relative_to(root).as_posix(): each.read_text()
        for each in sorted(found)
        if each.is_file()
    }


def check(texts: Mapping[str, str]) -> list[Finding]:
    return sorted(set(findings(texts)))


def findings(texts: Mapping[str, str]) -> Iterator[Finding]:
    """The cheap ones first: who asks for the first alone does not wait for the others."""
    templates = {path: read(path, text) for path, text in texts.items() if path.endswith(".bicep")}
    for template in templates.values():
        yield from check_names(template)
    if any(template.faults for template in templates.values()):
        return
    yield from check_links(templates)
    yield from check_templates(templates)
    given, wrong = _given(texts, templates)
    yield from wrong
    yield from check_hooks(texts, templates)
    for made in plans(templates, given):
        yield from made.findings
        yield from check_forms(made)
        yield from check_rules(made)


def plans_of(texts: Mapping[str, str]) -> Iterator[Plan]:
    """The plans that rules are asked of."""
    templates = {path: read(path, text) for path, text in texts.items() if path.endswith(".bicep")}
    return plans(templates, _given(texts, templates)[0])


def plans(templates: Mapping[str, Template], given: Mapping[str, Value]) -> Iterator[Plan]:
    """As it is by itself, and as it is with other values of its parameters."""
    yield plan(templates, given)
    if MAIN in templates:
        for other in _others(templates[MAIN].of("param"), given):
            yield plan(templates, {**given, **other}, is_changed=True)


def _others(
    parameters: list[Declaration], given: Mapping[str, Value]
) -> Iterator[Mapping[str, Value]]:
    """All numbers as small or great as they may be; all set that may be empty; each other value."""
    yield {each.name: value for each in parameters if (value := extreme(each, "minValue"))}
    yield {each.name: value for each in parameters if (value := extreme(each, "maxValue"))}
    filled = {each.name: value for each in parameters if (value := filling(each, given))}
    yield filled
    for parameter in parameters:
        before = given.get(parameter.name, getattr(parameter.value, "value", None))
        for value in allowed(parameter):
            if value != before:
                yield {parameter.name: value}
                if parameter.source == "bool":
                    yield {**filled, parameter.name: value}


def _given(
    texts: Mapping[str, str], templates: Mapping[str, Template]
) -> tuple[dict[str, Value], list[Finding]]:
    """What azd passes to main.bicep, with its environment's variables as they are by default."""
    main, text = templates.get(MAIN), texts.get(PARAMETERS)
    if main is None or text is None:
        return {}, [Finding(MAIN, 1, "missing-file", f"{MAIN} and {PARAMETERS} have to be there")]
    try:
        entries: dict[str, dict[str, Any]] = json.loads(text)["parameters"]
    except (ValueError, KeyError) as fault:
        return {}, [Finding(PARAMETERS, 1, "syntax", f"cannot be read: {fault}")]
    found = [
        Finding(PARAMETERS, 1, "missing-parameter", f"{MAIN} needs {each.name}")
        for each in main.of("param")
        if each.value is None and each.name not in entries
    ]
    given: dict[str, Value] = {}
    for name, entry in entries.items():
        declared = main.named("param", name)
        if declared is None:
            message = f"{MAIN} takes no {name}"
            found.append(Finding(PARAMETERS, 1, "unknown-parameter", message))
        else:
            given[name] = _substituted(entry.get("value"), declared.source)
    return given, found


def _substituted(value: Value, kind: str) -> Value:
    """`${NAME}` and `${NAME=default}`, which azd replaces."""
    variable = re.fullmatch(r"\$\{(\w+)(?:=(.*))?\}", value) if isinstance(value, str) else None
    if variable is None:
        return value
    if variable[2] is None:
        return Later(variable[1])
    if kind == "string":
        return variable[2]
    try:
        return json.loads(variable[2])
    except ValueError:
        return variable[2]
