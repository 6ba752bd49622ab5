"""Between files: modules that are there, parameters that they take, outputs that they have."""

from collections.abc import Iterator, Mapping
from functools import lru_cache

from infra.check import syntax
from infra.check.findings import Finding
from infra.check.names import did_you_mean
from infra.check.plan import MAIN
from infra.check.syntax import Declaration, Expression, Template, module_path

Templates = Mapping[str, Template]


def check_links(templates: Templates) -> Iterator[Finding]:
    called: set[str] = {MAIN}
    asked: set[tuple[str, str]] = set()
    for template in templates.values():
        for declared in template.of("module"):
            target = module_path(template.path, declared.source)
            called.add(target)
            yield from _keys(template, declared)
            if target not in templates:
                message = f"there is no {target}{did_you_mean(target, [*templates])}"
                yield Finding(template.path, declared.line, "module-path", message)
            else:
                yield from _parameters(template, declared, templates[target])
        yield from _outputs(template, templates, asked)
        yield from _reads(template)
    for path, template in templates.items():
        if path not in called:
            yield Finding(path, 1, "unused-module", "no template uses this module")
        for output in template.of("output"):
            if path != MAIN and (path, output.name) not in asked:
                yield Finding(path, output.line, "unused", f"nobody asks for output {output.name}")


_OF_MODULES = {"name", "params", "scope", "dependsOn"}


def _keys(template: Template, call: Declaration) -> Iterator[Finding]:
    body = syntax.inner(call.value)
    keys: dict[str, int] = {}
    for each in body.properties if body else ():
        if isinstance(each.key, syntax.Constant):
            keys[str(each.key.value)] = each.line
    for key, line in keys.items():
        if key not in _OF_MODULES:
            message = f"a module takes no {key}{did_you_mean(key, [*_OF_MODULES])}"
            yield Finding(template.path, line, "unknown-property", message)
    wanted = {"name", "scope"} if template.scope == "subscription" else {"name"}
    for key in sorted(wanted - set(keys)):
        yield Finding(template.path, call.line, "missing-property", f"{call.name} has no {key}")


def _parameters(template: Template, call: Declaration, target: Template) -> Iterator[Finding]:
    body = syntax.inner(call.value)
    given = _params(body) if body else {}
    taken = {each.name: each for each in target.of("param")}
    for name, line in given.items():
        if name not in taken:
            message = f"{call.name} takes no {name}{did_you_mean(name, [*taken])}"
            yield Finding(template.path, line, "unknown-parameter", message)
    for name, parameter in taken.items():
        if name not in given and parameter.value is None:
            message = f"{call.name} needs {name}"
            yield Finding(template.path, call.line, "missing-parameter", message)


def _params(body: syntax.Object) -> dict[str, int]:
    for each in body.properties:
        is_params = isinstance(each.key, syntax.Constant) and each.key.value == "params"
        if is_params and isinstance(each.value, syntax.Object):
            keys = [(one.key, one.line) for one in each.value.properties]
            return {str(key.value): line for key, line in keys if isinstance(key, syntax.Constant)}
    return {}


def _outputs(
    template: Template, templates: Templates, asked: set[tuple[str, str]]
) -> Iterator[Finding]:
    """`module.outputs.name`, and `module[0].outputs.name` of a looped one."""
    modules = {each.name: module_path(template.path, each.source) for each in template.of("module")}
    for expression in _members(template):
        name, outputs = expression.name, expression.of
        if not isinstance(outputs, syntax.Member) or outputs.name != "outputs":
            continue
        of = outputs.of.of if isinstance(outputs.of, syntax.Item) else outputs.of
        target = modules.get(of.name, "") if isinstance(of, syntax.Name) else ""
        if target not in templates:
            continue
        known = [each.name for each in templates[target].of("output")]
        asked.add((target, name))
        if name not in known:
            message = f"{target} has no output {name}{did_you_mean(name, known)}"
            yield Finding(template.path, expression.line, "undefined-output", message)


READS = {
    "Microsoft.DBforPostgreSQL/flexibleServers": {"properties.fullyQualifiedDomainName"},
    "Microsoft.EventGrid/systemTopics": {"identity.principalId"},
    "Microsoft.Insights/components": {"properties.ConnectionString"},
    "Microsoft.KeyVault/vaults": {"properties.vaultUri"},
    "Microsoft.ManagedIdentity/userAssignedIdentities": {
        "properties.clientId",
        "properties.principalId",
    },
    "Microsoft.Storage/storageAccounts": {
        "properties.primaryEndpoints.blob",
        "properties.primaryEndpoints.queue",
        "properties.primaryEndpoints.table",
    },
    "Microsoft.Web/sites": {"properties.defaultHostName"},
}
"""What Azure tells of a resource and we read, beside name and id: looked up as in forms.toml."""


def _reads(template: Template) -> Iterator[Finding]:
    """`resource.properties.name`: only Azure knows the value, but that there is one we know."""
    types = {each.name: each.source.partition("@")[0] for each in template.of("resource")}
    inner = {member.of for member in _members(template)}
    for member in _members(template):
        root, path = _chain(member)
        if member in inner or root not in types:
            continue
        known = READS.get(types[root], set[str]()) | {"name", "id"}
        if path not in known:
            message = f"{root} tells no {path}{did_you_mean(path, [*known])}"
            yield Finding(template.path, member.line, "undefined-member", message)


def _chain(member: syntax.Member) -> tuple[str, str]:
    path: list[str] = []
    step: Expression = member
    while isinstance(step, (syntax.Member, syntax.Item)):
        if isinstance(step, syntax.Member):
            path.insert(0, step.name)
        step = step.of
    return (step.name if isinstance(step, syntax.Name) else ""), ".".join(path)


@lru_cache(maxsize=256)
def _members(template: Template) -> list[syntax.Member]:
    found: list[syntax.Member] = []
    waiting: list[Expression] = [each.value for each in template.declarations if each.value]
    while waiting:
        expression = waiting.pop()
        if isinstance(expression, syntax.Member):
            found.append(expression)
        waiting.extend(syntax.children(expression))
        if isinstance(expression, syntax.Object):
            waiting.extend(each.value for each in expression.nested if each.value)
    return found
