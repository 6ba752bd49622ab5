"""Policies: what is to be archived, deleted or purged, and when."""

from datetime import timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Annotated, ClassVar, Self

from pydantic import (
    AfterValidator,
    ConfigDict,
    Field,
    JsonValue,
    StrictBool,
    ValidationError,
    model_validator,
)

from shared.errors import PolicyUnreadable
from shared.models.documents import DocumentItem
from shared.models.durations import Duration
from shared.models.rule_fields import RuleName
from shared.models.selectors import Selector
from shared.models.tiers import ColderTier


class PolicyKind(StrEnum):
    """What a policy does to what is due."""

    ARCHIVE = "archive"
    """Bytes to a colder tier, and the record says so."""
    DELETE = "delete"
    """A tombstone; record and bytes stay."""
    EXPIRE = "expire"
    """The same to what has an end of its own, when that has come."""
    PURGE = "purge"
    """The bytes of what is deleted are removed; the tombstone stays."""


class PolicyClock(StrEnum):
    """From when an age is counted. What is archived has waited since then, whatever is said."""

    CREATED = "created"
    SUPERSEDED = "superseded"
    ARCHIVED = "archived"
    DELETED = "deleted"
    EXPIRES = "expires"
    """From the artifact's own `expires_at`."""


_CLOCKS = {
    PolicyKind.ARCHIVE: {PolicyClock.CREATED, PolicyClock.SUPERSEDED, PolicyClock.ARCHIVED},
    PolicyKind.DELETE: {PolicyClock.CREATED, PolicyClock.SUPERSEDED, PolicyClock.ARCHIVED},
    PolicyKind.EXPIRE: {PolicyClock.EXPIRES},
    PolicyKind.PURGE: {PolicyClock.DELETED},
}
_CHANGING = {"metadata", "processing", "stage", "status"}
"""Whoever changes these would free what a lock retains."""
LONGEST_AGE = timedelta(days=365 * 1000)


def _no_longer(age: timedelta) -> timedelta:
    # In words: pydantic would tell the limit as Python writes it.
    if age > LONGEST_AGE:
        raise ValueError("an age is at most 1,000 years, P1000Y")
    return age


_Age = Annotated[Duration, Field(ge=timedelta(0)), AfterValidator(_no_longer)]


class Policy(DocumentItem):
    """One policy, as a file holds it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    noun: ClassVar[str] = "policy"

    name: RuleName
    kind: PolicyKind
    target_tier: ColderTier | None = None
    """Of an `archive` alone."""
    clock: PolicyClock
    age: _Age
    """How long after the clock it is due."""
    keep_last: Annotated[int, Field(ge=0, le=1000, strict=True)] = 0
    """The newest revisions of each asset, as many, are left alone."""
    selector: Selector = Selector()
    enabled: StrictBool = True
    priority: Annotated[int, Field(ge=0, le=1_000_000, strict=True)] = 100
    """The lowest runs first; equal ones go by name."""
    locked: StrictBool = False
    """What it selects is deleted or purged by nobody before it is due; its age only ever grows."""

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        if (self.kind is PolicyKind.ARCHIVE) != (self.target_tier is not None):
            raise ValueError("archive needs a target_tier, and nothing else has one")
        if self.clock not in _CLOCKS[self.kind]:
            known = ", ".join(sorted(_CLOCKS[self.kind]))
            raise ValueError(f"{self.kind} counts from {known}")
        if self.keep_last and self.kind not in {PolicyKind.ARCHIVE, PolicyKind.DELETE}:
            raise ValueError("keep_last is for archive and delete")
        if self.locked and self.kind is PolicyKind.ARCHIVE:
            raise ValueError("archive destroys nothing: there is nothing to lock")
        if self.locked and not self.enabled:
            raise ValueError("what is locked is enabled")
        if self.locked and _CHANGING & self.selector.model_dump(exclude_none=True).keys():
            told = ", ".join(sorted(_CHANGING))
            raise ValueError(f"what is locked cannot select by what changes: {told}")
        return self

    def as_json(self) -> dict[str, JsonValue]:
        """As it is kept, and as functions in the database read it: what is not said is left out."""
        return self.model_dump(mode="json", exclude_none=True)

    @property
    def age_seconds(self) -> Decimal:
        """The age, exact to the microsecond."""
        return Decimal(self.age // timedelta(microseconds=1)) / 1_000_000

    @property
    def streams(self) -> tuple[str, ...]:
        """Where what may be due is looked for, in this order: see `registry.due_entries`."""
        archived = tuple(f"archived {rank}" for rank in range(self._ranks))
        match self.kind:
            case PolicyKind.PURGE:
                return ("deleted",)
            case PolicyKind.EXPIRE:
                return ("expiring",)
            case _ if self.clock is PolicyClock.ARCHIVED:
                return archived
            case _:
                return (self.clock.value, *archived)

    @property
    def _ranks(self) -> int:
        """Tiers from the warmest on: those that are warmer than the target, or all."""
        colder = list(ColderTier)
        return 1 + (colder.index(self.target_tier) if self.target_tier else len(colder))


def read_policy(kept: object) -> Policy:
    """A policy as it is kept; raises PolicyUnreadable where another version has written it."""
    try:
        return Policy.model_validate(kept)
    except ValidationError:
        raise PolicyUnreadable from None
