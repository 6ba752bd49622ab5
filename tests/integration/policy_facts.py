"""What must hold of artifacts, whatever policies do: worked out from rows and holds alone.

No function of the registry that decides is asked.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol
from uuid import UUID

from psycopg.rows import DictRow

from shared.models.artifacts import Artifact
from shared.models.blobs import BlobProperties, BlobReference
from shared.models.policies import Policy
from shared.services.rehydration import RehydrationService
from tests.integration.policing import Policing


class Look(Protocol):
    def __call__(
        self, reference: BlobReference, *, version_id: str | None = None
    ) -> BlobProperties: ...


@dataclass(frozen=True)
class Store:
    """Where the machine's bytes are; `write` answers with the new blob, if it may be written."""

    policing: Policing
    rehydration: RehydrationService
    write: Callable[[str, bytes], BlobProperties | None]
    look: Look
    die_after_next: Callable[[bool], None]


class PolicyFacts:
    """What a machine did, and what it must find then."""

    store: Store

    def __init__(self) -> None:
        self.holds: dict[UUID, tuple[str, object]] = {}
        self.locks: dict[str, Policy] = {}
        self.made: dict[UUID, Artifact] = {}
        self.bytes_of: dict[UUID, tuple[str, str]] = {}
        """Where each artifact's bytes are, and in which state; those that nobody overwrote."""
        self.removed: set[tuple[str, str]] = set()
        self.seen_events = 0

    def watch(self, change: str, blob: BlobProperties) -> None:
        """Look at what the store is about to do, before it does it."""
        if change in {"Hot", blob.tier}:
            return
        place = (blob.reference.path, blob.etag)
        owners = [self.row(each) for each, bytes_ in self.bytes_of.items() if bytes_ == place]
        assert owners, "the bytes are nobody's: they were written since"
        for owner in owners:
            assert not self.is_held(owner), f"{change}: held"
            if change == "removed":
                self.removed.add(place)
                assert owner["disposition"] not in {"live", "archived"}, "removed: still needed"
        if change != "removed":
            there = [owner for owner in owners if owner["disposition"] in {"live", "archived"}]
            assert len(there) == 1, f"{change}: of {len(there)}"

    def check_events(self) -> None:
        """Nothing was done to what is held or retained, nor before its time."""
        rows = self.store.policing.sql.execute(
            "SELECT * FROM registry.outbox WHERE position > %s AND operation = 'status_update' "
            "AND details -> 'after' ? 'disposition' ORDER BY position",
            [self.seen_events],
        ).fetchall()
        for event in rows:
            self.check_event(event, self.row(event["artifact_id"]))
            self.seen_events = event["position"]

    def check_event(self, event: DictRow, row: DictRow) -> None:
        assert not self.is_held(row), event
        after, at = event["details"]["after"]["disposition"], event["occurred_at"]
        if after in {"deleted", "purged"}:
            for policy in self.locks.values():
                assert not retains(policy, row, after, at), (policy.name, event)
        if event["actor"].startswith("policy:"):
            run = self.store.policing.runs.get(UUID(event["details"]["policy_run"]))
            assert run.policy == event["details"]["policy"]
            clock_at = datetime.fromisoformat(event["details"]["clock_at"])
            assert clock_at in clocks_of(row, event), event
            assert clock_at + self.age_of_run(run.run_id) <= at, event

    def check_bytes(self) -> None:
        """Whatever the registry has not removed is in the store, as it was written."""
        for artifact_id, (path, etag) in self.bytes_of.items():
            row = self.row(artifact_id)
            if (path, etag) not in self.removed:
                self.check_stored(row, path, etag)
            elif row["disposition"] != "purged":  # who removed them died, and was stopped
                assert row["disposition"] == "deleted"

    def check_stored(self, row: DictRow, path: str, etag: str) -> None:
        reference = self.store.policing.uploads.reference(path)
        found = self.store.look(reference, version_id=row["blob_version_id"])
        assert found.etag == etag, row

    def row(self, artifact_id: UUID) -> DictRow:
        found = self.store.policing.sql.execute(
            "SELECT artifact.*, client_refs FROM registry.artifacts AS artifact "
            "JOIN registry.assets USING (asset_id) WHERE artifact_id = %s",
            [artifact_id],
        ).fetchone()
        assert found
        return found

    def is_held(self, row: DictRow) -> bool:
        mine = {row["artifact_id"], row["client_refs"]["name"]}
        return any(of in mine for _, of in self.holds.values())

    def age_of_run(self, run_id: UUID) -> timedelta:
        row = self.store.policing.sql.execute(
            "SELECT age_seconds FROM registry.policy_runs WHERE run_id = %s", [run_id]
        ).fetchone()
        assert row
        return timedelta(seconds=float(row["age_seconds"]))


def clocks_of(row: DictRow, event: DictRow) -> set[datetime | None]:
    """What the clock of an event may have been, by the name that it gives."""
    if event["details"]["after"]["disposition"] == "purged":
        return {row["deleted_at"]}
    if event["details"]["clock"] == "expires":
        return {row["expires_at"]}
    if event["details"]["before"]["disposition"] == "archived":
        return {max(filter(None, (row["archived_at"], row["rehydrated_at"])))}
    return {row[f"{event['details']['clock']}_at"]}


def retains(policy: Policy, row: DictRow, after: str, at: datetime) -> bool:
    """Whether a locked policy of this file speaks against what was done."""
    if policy.kind == "purge":
        return after == "purged" and row["deleted_at"] + policy.age > at
    if row["client_refs"]["name"] != "a":
        return False
    archived = [each for each in (row["archived_at"], row["rehydrated_at"]) if each]
    return max(archived or [row["created_at"]]) + policy.age > at
