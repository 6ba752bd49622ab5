"""Nothing secret in the templates, in their outputs, or in the history of deployments."""

import re
from collections.abc import Iterator
from typing import Any, cast

from infra.check import syntax
from infra.check.plan import Plan
from infra.check.rules.complaints import Complaints, Rule
from infra.check.syntax import Template

Said = Iterator[tuple[int, str]]
_SECRET_WORD = re.compile(r"(?i)password|secret|pepper|accountkey|signing_?key|sas_?token")
_KEY = re.compile(
    r"AccountKey=|SharedAccessKey=|SharedAccessSignature=|[?&]sig=|-----BEGIN|"
    r"postgres(?:ql)?://[^@/]*:[^@/]*@|(?<![A-Za-z0-9+/])[A-Za-z0-9+/]{86}=="
)


def no_keys(plan: Plan) -> Complaints:
    """A connection string with a key is worth every role, and is in the app's settings for all."""
    for each in plan.resources:
        for path, text in _texts(each.body, ""):
            if _KEY.search(text):
                yield each, f"{path} has a key or a password in it"
    for name, value in plan.outputs.items():
        if _KEY.search(str(value)):
            yield None, f"output {name} has a key or a password in it"


def no_list_functions(template: Template) -> Said:
    """What listKeys() and its like give stays readable in the history of deployments."""
    for declared in template.declarations:
        for call in _calls(declared.value):
            if call.function.startswith("list"):
                yield call.line, f"calls {call.function}()"


def secret_parameters(template: Template) -> Said:
    """A secret parameter is readable in the history unless it is secure; a default is in Git."""
    for declared in template.of("param"):
        secure = declared.decorator("secure") is not None
        if _sounds_secret(declared.name) and not secure:
            yield declared.line, f"{declared.name} is not @secure()"
        if secure and declared.value is not None:
            yield declared.line, f"{declared.name} is secret and has a default"


def secret_outputs(template: Template) -> Said:
    """Outputs are readable in the history of deployments, and azd writes them into a file."""
    secret = {each.name for each in template.of("param") if each.decorator("secure")}
    for output in template.of("output"):
        if secret & {each.name for each in _names(output.value)} or _sounds_secret(output.name):
            yield output.line, f"{output.name} gives a secret away"


def _sounds_secret(name: str) -> bool:
    """What only leads to a secret, by its name or address, is none."""
    return bool(_SECRET_WORD.search(name)) and not re.search(r"(?i)(name|uri)$", name)


def _texts(value: Any, path: str) -> Iterator[tuple[str, str]]:
    if isinstance(value, dict):
        for key, below in cast("dict[str, Any]", value).items():
            yield from _texts(below, f"{path}.{key}")
    elif isinstance(value, list):
        for below in cast("list[Any]", value):
            yield from _texts(below, path)
    elif isinstance(value, str):
        yield path, value


def _walk(expression: syntax.Expression | None) -> Iterator[syntax.Expression]:
    if expression is not None:
        yield expression
        for below in syntax.children(expression):
            yield from _walk(below)


def _calls(expression: syntax.Expression | None) -> Iterator[syntax.Call]:
    return (each for each in _walk(expression) if isinstance(each, syntax.Call))


def _names(expression: syntax.Expression | None) -> Iterator[syntax.Name]:
    return (each for each in _walk(expression) if isinstance(each, syntax.Name))


RULES: tuple[Rule, ...] = (no_keys,)
TEMPLATE_RULES = (no_list_functions, secret_parameters, secret_outputs)
