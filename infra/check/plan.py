"""What a deployment would make: every resource of main.bicep and its modules, worked out.

Rules ask the plan, not the text, so it does not matter how the templates are cut into files,
where a value comes from, or in which order anything is declared.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, cast

from infra.check.findings import Finding
from infra.check.functions import Value
from infra.check.syntax import Template

MAIN = "infra/main.bicep"


@dataclass(frozen=True)
class Resource:
    """`address` is its place in the plan, `module/name`, with `[key]` in a loop."""

    type: str
    version: str
    address: str
    parent: str | None
    scope: str
    body: Mapping[str, Value]
    path: str
    line: int
    existing: bool

    @property
    def name(self) -> str:
        return str(self.body.get("name", ""))

    def at(self, path: str) -> Any:
        """The value at a dotted path, or None."""
        value: Any = self.body
        for step in path.split("."):
            value = cast("dict[str, Any]", value).get(step) if isinstance(value, dict) else None
        return value

    def object(self, path: str) -> dict[str, Any]:
        """The object there; an empty one where there is none."""
        value = self.at(path)
        return cast("dict[str, Any]", value) if isinstance(value, dict) else {}

    def objects(self, path: str) -> list[dict[str, Any]]:
        """The objects of the array there."""
        found: list[Any] = self.at(path) or []
        return [cast("dict[str, Any]", each) for each in found if isinstance(each, dict)]

    def texts(self, path: str) -> list[str]:
        """The texts of the array there."""
        found: list[Any] = self.at(path) or []
        return [each for each in found if isinstance(each, str)]


@dataclass
class Plan:
    templates: Mapping[str, Template]
    is_changed: bool
    """Whether it is another one than who sets nothing gets."""
    by_address: dict[str, Resource] = field(default_factory=dict[str, Resource])
    findings: set[Finding] = field(default_factory=set[Finding])
    stacks: dict[str, Template] = field(default_factory=dict[str, Template])
    """The template that the resources with this prefix of their address stand in."""
    parameters: dict[str, Value] = field(default_factory=dict[str, Value])
    outputs: dict[str, Value] = field(default_factory=dict[str, Value])

    @property
    def resources(self) -> list[Resource]:
        return list(self.by_address.values())

    def of(self, *types: str) -> Iterator[Resource]:
        """What is deployed, not what is only named, of these types."""
        return (each for each in self.resources if each.type in types and not each.existing)

    def names(self, resource: Resource) -> tuple[str, ...]:
        """What tells a resource from all others: its type, and the names down to its own."""
        above = self.at(resource.parent) if resource.parent else None
        return (*(self.names(above) if above else ()), resource.type, resource.name)

    def at(self, address: str) -> Resource | None:
        return self.by_address.get(address)
