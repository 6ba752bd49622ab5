"""Rules: what an upload is, by its container and its name."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, JsonValue, StrictBool, model_validator

from shared.errors import InvalidInput
from shared.models.artifacts import ArtifactRegistration
from shared.models.axes import Stage
from shared.models.blobs import BlobReference
from shared.models.documents import MAXIMUM_ITEMS, DocumentItem, twins
from shared.models.pointers import json_pointer
from shared.models.rule_fields import (
    Account,
    ClientType,
    Container,
    Fault,
    Paths,
    Place,
    RuleName,
    Template,
    Templates,
    refuse,
    strings_in,
)
from shared.models.templates import BUILT_IN, PathTemplate, Values, filled, names_in, rendered

_TEXTS = ("artifact_type", "content_type", "stac_collection_id", "stac_item_id")


class IngestionRule(DocumentItem):
    """What the blobs of a container whose names have a form are registered as.

    Validation raises pydantic's ValidationError, whose locations name the values at fault.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)

    noun: ClassVar[str] = "rule"

    name: RuleName
    priority: Annotated[int, Field(ge=0, le=1_000_000, strict=True)] = 100
    """The lowest goes first; equal ones go by name."""
    enabled: StrictBool = True
    account: Account | None = None
    """None: any account that the registry serves."""
    container: Container
    path: Paths
    """A template of names, or several of which the first that fits counts."""
    client_type: ClientType
    client_refs: Templates
    artifact_type: Template | None = None
    content_type: Template | None = None
    stac_collection_id: Template | None = None
    stac_item_id: Template | None = None
    metadata: Templates = Field(default_factory=dict[str, JsonValue])
    stage: Stage = Stage.INTERMEDIATE
    overwrite: StrictBool = True
    same_bytes: Literal["keep", "register"] = "keep"
    """Bytes equal to those of the current artifact: keep that, or register a new revision."""
    overrides: Literal["none", "descriptive", "all"] = "descriptive"
    """How far an uploader's `registry_` metadata and tags go: see `shared.models.uploads`."""
    when_deleted: Literal["keep", "delete"] = "keep"
    """Whether the artifact is marked as deleted when its blob is."""

    @cached_property
    def path_templates(self) -> tuple[PathTemplate, ...]:
        """What `path` says, ready to read names with."""
        texts = [self.path] if isinstance(self.path, str) else self.path
        return tuple(map(PathTemplate.parse, texts))

    def read(self, blob: BlobReference) -> Values | None:
        """What the rule's path finds in a blob's name; None where the rule is not for it."""
        if self.container != blob.container or self.account not in {None, blob.account}:
            return None
        found = (template.match(blob.path) for template in self.path_templates)
        return next((values for values in found if values is not None), None)

    def members(self, values: Values) -> dict[str, Any]:
        """The members of a registration that the rule decides, its templates filled in."""
        texts = {name: getattr(self, name) for name in _TEXTS}
        return {
            "client_type": self.client_type,
            "client_refs": filled(self.client_refs, values),
            "metadata": filled(self.metadata, values),
            "stage": self.stage,
            "overwrite": self.overwrite,
            "register_unchanged": self.same_bytes == "register",
        } | {name: str(rendered(text, values)) for name, text in texts.items() if text is not None}

    @model_validator(mode="after")
    def _makes_registrations(self) -> Self:
        refuse(self._faults())
        known = frozenset(BUILT_IN).union(*(path.names for path in self.path_templates))
        # With the shortest values that there are: what is refused now would be for every blob.
        ArtifactRegistration.model_validate(self.members(dict.fromkeys(known, "x")))
        return self

    def _faults(self) -> Iterator[Fault]:
        for name in (*_TEXTS, "client_refs", "metadata"):
            for place, text in strings_in(getattr(self, name), (name,)):
                try:
                    used = names_in(text)
                except InvalidInput as fault:
                    yield place, fault.summary
                    continue
                for found in sorted(used.difference(BUILT_IN)):
                    yield from self._missing(found, place)

    def _missing(self, name: str, user: Place) -> Iterator[Fault]:
        finding = [name in path.names for path in self.path_templates]
        if not any(finding):
            known = ", ".join([*sorted(self.path_templates[0].names), *BUILT_IN])
            yield user, f"The path finds no {{{name}}}; known are {known}."
            return
        for place, finds in enumerate(finding):
            if not finds:
                yield ("path", place), f"It finds no {{{name}}}, which {json_pointer(*user)} needs."


class RuleList(BaseModel):
    """A whole set of rules, as a file holds it; no two of one name."""

    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)

    rules: Annotated[list[IngestionRule], Field(max_length=MAXIMUM_ITEMS)]

    @model_validator(mode="after")
    def _names_differ(self) -> Self:
        refuse(twins("rules", self.rules))
        return self


@dataclass(frozen=True)
class RuleMatch:
    """The rule that decides what a blob is."""

    rule: IngestionRule
    values: Values
    """What its path found in the name."""


class RuleSet:
    """Rules in the order in which they are asked; those that are disabled never match."""

    def __init__(self, rules: Iterable[IngestionRule]) -> None:
        self.rules = tuple(sorted(rules, key=lambda rule: (rule.priority, rule.name)))
        self._of_container: defaultdict[str, list[IngestionRule]] = defaultdict(list)
        for rule in self.rules:
            if rule.enabled:
                self._of_container[rule.container].append(rule)

    def match(self, blob: BlobReference) -> RuleMatch | None:
        """The first rule that knows the blob."""
        return next(self.matches(blob), None)

    def matches(self, blob: BlobReference) -> Iterator[RuleMatch]:
        """Every rule that knows the blob, in their order; the first one decides."""
        for rule in self._of_container.get(blob.container, ()):
            values = rule.read(blob)
            if values is not None:
                yield RuleMatch(rule, values)
