"""All ingestion rules as one document, and what another one would change."""

from collections.abc import Mapping, Sequence

from pydantic import BaseModel, ConfigDict

from shared.models.rules import IngestionRule, RuleList


class RuleFile(BaseModel):
    """The rules that are in force, by name, and the version that every change makes another."""

    model_config = ConfigDict(frozen=True, defer_build=True)

    version: int
    rules: list[IngestionRule]

    def as_list(self) -> RuleList:
        """The rules alone, as a file holds them."""
        return RuleList(rules=self.rules)


class RuleChange(BaseModel):
    """A rule as it was and as it is to be."""

    model_config = ConfigDict(frozen=True, defer_build=True)

    name: str
    before: IngestionRule
    after: IngestionRule


class RuleChanges(BaseModel):
    """What makes one set of rules another; `version` is that of the rules then in force."""

    model_config = ConfigDict(frozen=True, defer_build=True)

    version: int
    added: list[IngestionRule]
    changed: list[RuleChange]
    removed: list[IngestionRule]
    unchanged: int

    @property
    def are_any(self) -> bool:
        return bool(self.added or self.changed or self.removed)


def compare_rules(file: RuleFile, wanted: Sequence[IngestionRule]) -> RuleChanges:
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


def _changed(
    before: Mapping[str, IngestionRule], after: Mapping[str, IngestionRule]
) -> list[RuleChange]:
    shared = sorted(before.keys() & after.keys())
    changes = (RuleChange(name=name, before=before[name], after=after[name]) for name in shared)
    return [change for change in changes if not _is_same(change.before, change.after)]


def _is_same(one: IngestionRule, other: IngestionRule) -> bool:
    # As written: to Python `true` equals 1, and whoever orders keys anew wants that order kept.
    return one.model_dump_json() == other.model_dump_json()
