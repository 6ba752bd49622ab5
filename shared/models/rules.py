"""Rules: what an upload is, by its container and its name."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, JsonValue, StrictBool

from shared.models.axes import Stage
from shared.models.blobs import BlobReference
from shared.models.templates import Values

MAXIMUM_RULES = 1000

_NAME = r"^[a-z0-9][a-z0-9_-]{0,99}$"

RuleName = Annotated[str, Field(pattern=_NAME)]


class IngestionRule(BaseModel):
    """What the blobs of a container whose names have a form are registered as.

    Validation raises pydantic's ValidationError, whose locations name the value at fault.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)

    name: RuleName
    priority: Annotated[int, Field(ge=0, le=1_000_000, strict=True)] = 100
    """The lowest goes first; equal ones go by name."""
    enabled: StrictBool = True
    account: str | None = None
    """None: any account that the registry serves."""
    container: str
    path: str | list[str]
    client_type: str
    client_refs: dict[str, JsonValue]
    artifact_type: str | None = None
    content_type: str | None = None
    stac_collection_id: str | None = None
    stac_item_id: str | None = None
    metadata: dict[str, JsonValue] = Field(default_factory=dict[str, JsonValue])
    stage: Stage = Stage.INTERMEDIATE
    overwrite: StrictBool = True
    same_bytes: Literal["keep", "register"] = "keep"
    overrides: Literal["none", "descriptive", "all"] = "descriptive"
    when_deleted: Literal["keep", "delete"] = "keep"


class RuleList(BaseModel):
    """A whole set of rules, as a file holds it; no two of one name."""

    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)

    rules: Annotated[list[IngestionRule], Field(max_length=MAXIMUM_RULES)]


@dataclass(frozen=True)
class RuleMatch:
    """The rule that decides what a blob is."""

    rule: IngestionRule
    values: Values
    """What its path template found in the name."""
    also_matching: tuple[str, ...]
    """Names of the rules that would come next, in their order."""


class RuleSet:
    """Rules in the order in which they are asked; those that are disabled never match."""

    def __init__(self, rules: Iterable[IngestionRule]) -> None:
        self.rules = tuple(sorted(rules, key=lambda rule: (rule.priority, rule.name)))

    def match(self, blob: BlobReference) -> RuleMatch | None:
        """The first rule that knows the blob."""
        raise NotImplementedError
