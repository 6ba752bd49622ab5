"""The form of each kind of resource that we use: forms.toml, by type and API version.

It is no copy of Azure's definitions but the vocabulary of our own templates: each property was
looked up once, when it was first used. Anything else is a spelling mistake, or is looked up and
added.
"""

import re
import tomllib
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any, cast

from infra.check.findings import Finding
from infra.check.functions import Later, Value
from infra.check.kinds import is_of
from infra.check.names import did_you_mean
from infra.check.plan import Plan, Resource

_FORMS = Path(__file__).with_name("forms.toml")
_OF_BICEP = frozenset({"name", "parent", "scope", "dependsOn"})
Form = Mapping[str, str]


@cache
def forms() -> Mapping[str, Form]:
    """By `type@version`: dotted paths, `[]` for the items of an array, with a kind.

    A kind is `string`, `int`, `bool`, `object`, `array`, `map` (whose keys are anybody's), or the
    texts that it may be, quoted; with `!`, every resource of the type has it.
    """
    return tomllib.loads(_FORMS.read_text())


def check_forms(plan: Plan) -> Iterator[Finding]:
    for resource in plan.resources:
        for rule, message in _misfits(resource):
            yield Finding(resource.path, resource.line, rule, f"{resource.address}: {message}")


def _misfits(resource: Resource) -> Iterator[tuple[str, str]]:
    known = forms()
    key = f"{resource.type}@{resource.version}"
    form = known.get(key)
    if form is None:
        same = [name for name in known if name.startswith(f"{resource.type}@")]
        rule = "api-version" if same else "resource-type"
        said = f"{resource.type}@{resource.version} is not in {_FORMS.name}"
        hint = f"; it has {same[0]}" if same else did_you_mean(resource.type, [*known])
        yield rule, said + hint
        return
    for path, value in _paths(resource.body, "", form):
        yield from _check(path, value, form)
        if isinstance(value, dict) and not resource.existing:
            yield from _missing(path, cast("dict[str, Value]", value), key)
    if not resource.body.get("name"):
        yield "missing-property", "name is missing"
    if resource.type.count("/") > 1 and resource.parent is None:
        yield "missing-property", "parent is missing"


def _missing(path: str, value: Mapping[str, Value], key: str) -> Iterator[tuple[str, str]]:
    for below in _needed(key).get(path, []):
        if value.get(below.rpartition(".")[2].replace("/", ".")) is None:
            yield "missing-property", f"{below} is missing"


@cache
def _needed(key: str) -> Mapping[str, list[str]]:
    """The properties that have to be there, by what they stand in."""
    needed: dict[str, list[str]] = {}
    for path, kind in forms()[key].items():
        if kind.endswith("!"):
            needed.setdefault(path.rpartition(".")[0], []).append(path)
    return needed


def _check(path: str, value: Value, form: Form) -> Iterator[tuple[str, str]]:
    if path and path not in form:
        yield "unknown-property", f"there is no {path}{did_you_mean(path, [*form])}"
    if path not in form or isinstance(value, Later):
        return
    kind = form[path].removesuffix("!")
    if kind.startswith("'"):
        if str(value) not in re.findall(r"'([^']*)'", kind):
            yield "unknown-value", f"{path} is {kind}, not {value!r}"
    elif kind != "map" and not is_of(kind, value):
        yield "kind", f"{path} is {kind}, not {value!r}"


def _paths(value: Any, path: str, form: Form) -> Iterator[tuple[str, Value]]:
    """Each value with its path; a `.` in a key is written `/` there. What is null is left out."""
    if value is None:
        return
    yield path, value
    if form.get(path, "").startswith("map"):
        return
    if isinstance(value, dict):
        for key, below in cast("dict[str, Value]", value).items():
            if path or key not in _OF_BICEP or key in form:
                step = key.replace(".", "/")
                yield from _paths(below, f"{path}.{step}" if path else step, form)
    elif isinstance(value, list):
        for below in cast("list[Value]", value):
            yield from _paths(below, f"{path}[]", form)
