"""All ingestion rules as one document, and what another one would change."""

from collections.abc import Mapping, Sequence
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from shared.models.rules import IngestionRule


class UnreadableRule(BaseModel):
    """A rule as another version of the registry wrote it, which this one cannot go by."""

    model_config = ConfigDict(frozen=True, extra="allow", defer_build=True)

    name: str


KeptRule = IngestionRule | UnreadableRule
_Kept = Annotated[KeptRule, Field(union_mode="left_to_right")]
KEPT_RULE: TypeAdapter[KeptRule] = TypeAdapter(_Kept, config=ConfigDict(defer_build=True))


class RuleFile(BaseModel):
    """The rules that are in force, by name, and the version that every change makes another."""

    model_config = ConfigDict(frozen=True, defer_build=True)

    version: int
    rules: list[_Kept]


class RuleChange(BaseModel):
    """A rule as it was and as it is to be."""

    model_config = ConfigDict(frozen=True, defer_build=True)

    name: str
    before: _Kept
    after: _Kept


class RuleChanges(BaseModel):
    """What makes one set of rules another; `version` is that of the rules then in force."""

    model_config = ConfigDict(frozen=True, defer_build=True)

    version: int
    added: list[_Kept]
    changed: list[RuleChange]
    removed: list[_Kept]
    unchanged: int

    @property
    def are_any(self) -> bool:
        return bool(self.added or self.changed or self.removed)


def compare_rules(file: RuleFile, wanted: Sequence[KeptRule]) -> RuleChanges:
    """What applying these rules, of which no two share a name, would change."""
    before = {rule.name: rule for rule in file.rules}
    after = {rule.name: rule for rule in wanted}
    changed = _changed(before, after)
    return RuleChanges(
        version=file.version,
        added=[after[name] for name in sorted(after.keys() - before.keys())],
        changed=changed,
        removed=[before[name] for name in sorted(before.keys() - after.keys())],
        unchanged=len(before.keys() & after.keys()) - len(changed),
    )


def _changed(before: Mapping[str, KeptRule], after: Mapping[str, KeptRule]) -> list[RuleChange]:
    shared = sorted(before.keys() & after.keys())
    return [
        RuleChange(name=name, before=before[name], after=after[name])
        for name in shared
        if not _is_same(before[name], after[name])
    ]


def _is_same(one: KeptRule, other: KeptRule) -> bool:
    # As written: to Python `true` equals 1, and whoever orders keys anew wants that order kept.
    return one.model_dump_json() == other.model_dump_json()
