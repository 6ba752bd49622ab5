"""All ingestion rules as one document, and what another one would change."""

from pydantic import BaseModel, ConfigDict, TypeAdapter

from shared.models.documents import DocumentChanges, Kept, UnreadableItem
from shared.models.rules import IngestionRule

KeptRule = IngestionRule | UnreadableItem
KEPT_RULES: TypeAdapter[list[KeptRule]] = TypeAdapter(
    list[Kept[IngestionRule]], config=ConfigDict(defer_build=True)
)


class RuleChanges(DocumentChanges[IngestionRule]):
    """What makes one set of rules another; `version` is that of the rules then in force."""


class RuleFile(BaseModel):
    """The rules that are in force, by name, and the version that every change makes another."""

    model_config = ConfigDict(frozen=True, defer_build=True)

    version: int
    rules: list[Kept[IngestionRule]]
