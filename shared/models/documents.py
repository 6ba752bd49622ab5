"""What is kept as one document: items of one kind by name, and what other items would change."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from operator import methodcaller
from typing import Annotated, Any, ClassVar, Generic, Self, TypeVar

from pydantic import BaseModel, ConfigDict, Field, JsonValue, PlainSerializer

from shared.models.rule_fields import Fault

MAXIMUM_ITEMS = 1000


class DocumentItem(BaseModel):
    """One of the things that a document consists of, no two of which have one name."""

    model_config = ConfigDict(frozen=True, defer_build=True)

    noun: ClassVar[str] = "item"
    """What one is called, also in the audit trail."""

    name: str

    def as_json(self) -> dict[str, JsonValue]:
        """As it is kept."""
        return self.model_dump(mode="json")


class UnreadableItem(DocumentItem):
    """What another version of the registry wrote, and this one cannot go by."""

    model_config = ConfigDict(extra="allow")


Item = TypeVar("Item", bound=DocumentItem)
Kept = Annotated[
    Item | UnreadableItem,
    Field(union_mode="left_to_right"),
    PlainSerializer(methodcaller("as_json"), when_used="json"),
]


@dataclass(frozen=True)
class Document(Generic[Item]):
    """All items by name, and the version that every change makes another."""

    version: int
    items: Sequence[Item | UnreadableItem]


class DocumentChange(BaseModel, Generic[Item]):
    """An item as it was and as it is to be."""

    model_config = ConfigDict(frozen=True, defer_build=True)

    name: str
    before: Kept[Item]
    after: Kept[Item]

    @classmethod
    def model_parametrized_name(cls, params: tuple[Any, ...]) -> str:
        """Like `RuleChange`, which the specification shows."""
        return f"{params[0].noun.capitalize()}Change"


class DocumentChanges(BaseModel, Generic[Item]):
    """What makes one document another; `version` is that of the document then in force."""

    model_config = ConfigDict(frozen=True, defer_build=True)

    version: int
    added: list[Kept[Item]]
    changed: list[DocumentChange[Item]]
    removed: list[Kept[Item]]
    unchanged: int

    @property
    def are_any(self) -> bool:
        return bool(self.added or self.changed or self.removed)

    @classmethod
    def between(cls, seen: Document[Item], wanted: Sequence[Item | UnreadableItem]) -> Self:
        """What applying these items, of which no two share a name, would change."""
        before = {item.name: item for item in seen.items}
        after = {item.name: item for item in wanted}
        changed = list(_changed(before, after))
        told = {
            "version": seen.version,
            "added": [after[name] for name in sorted(after.keys() - before.keys())],
            "changed": changed,
            "removed": [before[name] for name in sorted(before.keys() - after.keys())],
            "unchanged": len(before.keys() & after.keys()) - len(changed),
        }
        return cls.model_validate(told)


def twins(member: str, items: Sequence[DocumentItem]) -> Iterator[Fault]:
    """Every item whose name another one has; `member` is what holds them all."""
    counts = Counter(item.name for item in items)
    for place, item in enumerate(items):
        if counts[item.name] > 1:
            yield (member, place, "name"), f"{counts[item.name]} {member} have this name."


def _changed(
    before: Mapping[str, DocumentItem], after: Mapping[str, DocumentItem]
) -> Iterator[dict[str, object]]:
    for name in sorted(before.keys() & after.keys()):
        if not _is_same(before[name], after[name]):
            yield {"name": name, "before": before[name], "after": after[name]}


def _is_same(one: DocumentItem, other: DocumentItem) -> bool:
    # As written: to Python `true` equals 1, and whoever orders keys anew wants that order kept.
    return one.model_dump_json() == other.model_dump_json()
