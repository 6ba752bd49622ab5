"""Everything that may happen to what policies act on, in any order, checked against plain facts.

What is checked is worked out from rows and holds in this file; no function that decides is asked.
"""

import json
from collections.abc import Callable
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, ClassVar, Protocol
from uuid import UUID

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule
from psycopg.rows import DictRow

from shared.errors import PolicyLocked, RegistryError, StorageUnavailable
from shared.models.artifacts import Artifact
from shared.models.blobs import BlobProperties, BlobReference
from shared.models.holds import HoldRequest
from shared.models.policies import Policy
from shared.models.registrations import UNATTRIBUTED
from shared.models.rehydrations import RehydrateRequest
from shared.models.tiers import ColderTier
from shared.services.rehydration import RehydrationService
from tests.integration.policing import COOL, DELETE, EXPIRE, ORIGIN, PURGE, QUEUE, Policing

ASSETS = ("a", "b")
POLICIES: list[dict[str, Any]] = [
    COOL,
    COOL | {"name": "cool-all", "clock": "created", "selector": {"status": "active"}},
    COOL | {"name": "archive-archived", "clock": "archived", "target_tier": "Archive"},
    DELETE,
    DELETE | {"name": "delete-created", "clock": "created", "selector": {"client_type": "ddh"}},
    EXPIRE,
    PURGE,
]
LOCKS: list[dict[str, Any]] = [
    DELETE | {"name": "lock-a", "clock": "created", "selector": {"client_refs": {"name": "a"}}},
    PURGE | {"name": "lock-purge"},
]
AGES = st.sampled_from(["PT0S", "P1D", "P10D", "P30D"])


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


class Enforcing(RuleBasedStateMachine):
    """One registry an example; `open_store` is given what is to watch the store."""

    open_store: ClassVar[Callable[[ExitStack, Callable[[str, BlobProperties], None]], Store]]
    steps: ClassVar[list[int]]

    def __init__(self) -> None:
        super().__init__()
        self.stack = ExitStack()
        self.store = type(self).open_store(self.stack, self.watch)
        self.policing = self.store.policing
        self.clock = self.policing.clock
        self.made: dict[UUID, Artifact] = {}
        self.holds: dict[UUID, tuple[str, object]] = {}
        self.locks: dict[str, Policy] = {}
        self.bytes_of: dict[UUID, tuple[str, str]] = {}
        self.removed: set[tuple[str, str]] = set()
        self.seen_events = 0
        self.contents = 0

    @initialize(ages=st.lists(AGES, min_size=len(POLICIES), max_size=len(POLICIES)))
    def begin(self, ages: list[str]) -> None:
        """With policies, old revisions and the time for both to meet."""
        for base, age in zip(POLICIES, ages, strict=True):
            self.policing.enforce(base, age=age)
        for asset in ASSETS * 2:
            self.register(asset, False, False)
        self.wait(31)

    # What may be done. Whatever the registry refuses changes nothing, and is checked like all else.

    @rule(asset=st.sampled_from(ASSETS), in_place=st.booleans(), ends=st.booleans())
    def register(self, asset: str, in_place: bool, ends: bool) -> None:
        self.contents += 1
        content = f"content {self.contents}".encode()
        path = asset if in_place else f"{asset}/{self.contents}"
        written = self.store.write(path, content)
        if written is None:
            return
        artifact = self.policing.artifacts.create_artifact(
            client_type="ddh",
            client_refs={"name": asset},
            overwrite=True,
            storage_account=written.reference.account,
            container=written.reference.container,
            blob_path=path,
            blob_etag=written.etag,
            blob_version_id=written.version_id,
            size_bytes=len(content),
            expires_at=self.clock.now + timedelta(days=5) if ends else None,
        )
        self.made[artifact.artifact_id] = artifact
        self.bytes_of[artifact.artifact_id] = (path, written.etag)
        if written.version_id is None:  # the uploader itself has overwritten what was there
            for other, (place, etag) in list(self.bytes_of.items()):
                if place == path and etag != written.etag:
                    del self.bytes_of[other]
        self.check_events()

    @precondition(lambda self: self.made)
    @rule(data=st.data(), kind=st.sampled_from(["artifact_id", "asset_id", "selector"]))
    def hold(self, data: st.DataObject, kind: str) -> None:
        artifact = self.draw_artifact(data)
        name = artifact.client_refs["name"]
        target = {
            "artifact_id": artifact.artifact_id,
            "asset_id": artifact.asset_id,
            "selector": {"client_refs": {"name": name}},
        }[kind]
        wanted = HoldRequest.model_validate({kind: target, "reason": "why"})
        hold = self.policing.holds.place(wanted, ORIGIN)
        of = artifact.artifact_id if kind == "artifact_id" else name
        self.holds[hold.hold_id] = (kind, of)
        self.check_events()

    @precondition(lambda self: self.holds)
    @rule(data=st.data())
    def release(self, data: st.DataObject) -> None:
        hold_id = data.draw(st.sampled_from(sorted(self.holds)))
        self.policing.holds.release(hold_id, ORIGIN)
        del self.holds[hold_id]

    @rule(base=st.sampled_from(POLICIES), age=AGES, keep=st.integers(0, 2), on=st.booleans())
    def change_policy(self, base: dict[str, Any], age: str, keep: int, on: bool) -> None:
        kept = {"keep_last": keep} if base["kind"] in {"archive", "delete"} else {}
        self.policing.enforce(base, age=age, enabled=on, **kept)

    @rule(base=st.sampled_from(LOCKS), age=AGES)
    def lock(self, base: dict[str, Any], age: str) -> None:
        policy = Policy.model_validate({**base, "age": age, "locked": True})
        known = self.locks.get(policy.name)
        try:
            self.policing.policies.put(policy, UNATTRIBUTED)
        except PolicyLocked:
            assert known
            assert policy.age < known.age
        else:
            assert known is None or policy.age >= known.age
            self.locks[policy.name] = policy

    @rule(days=st.sampled_from([1, 4, 9, 31]))
    def wait(self, days: int) -> None:
        self.clock.now += timedelta(days=days)

    @rule(begins=st.booleans())
    def tick(self, begins: bool) -> None:
        if begins:
            self.policing.runs.start_due()
        self.policing.runs.advance()
        self.check_events()

    @rule(dies=st.booleans())
    def act(self, dies: bool) -> None:
        """Deliver what was sent; who acts may die once the store has done what it was told."""
        if dies:
            self.store.die_after_next(True)
        for body in self.policing.sent():
            with suppress(StorageUnavailable):
                self.policing.actions.take(QUEUE, body, ORIGIN)
        self.check_events()

    @precondition(lambda self: self.made)
    @rule(data=st.data())
    def deliver_late(self, data: st.DataObject) -> None:
        body = json.dumps({"artifact_ids": [str(self.draw_artifact(data).artifact_id)]})
        with suppress(StorageUnavailable):
            self.policing.actions.take(QUEUE, body.encode(), ORIGIN)
        self.check_events()

    @rule(base=st.sampled_from(POLICIES + LOCKS))
    def run_now(self, base: dict[str, Any]) -> None:
        with suppress(RegistryError):
            self.policing.runs.run(base["name"], ORIGIN)
        self.check_events()

    @precondition(lambda self: self.made)
    @rule(data=st.data(), what=st.sampled_from(["archive", "delete", "purge", "rehydrate"]))
    def by_hand(self, data: st.DataObject, what: str) -> None:
        artifact_id = self.draw_artifact(data).artifact_id
        with suppress(RegistryError):
            if what == "archive":
                self.policing.retirement.archive(artifact_id, ColderTier.COLD, ORIGIN)
            elif what == "delete":
                self.policing.artifacts.mark_deleted(artifact_id, ORIGIN)
            elif what == "purge":
                self.policing.retirement.purge(artifact_id, ORIGIN)
            else:
                self.store.rehydration.rehydrate(artifact_id, RehydrateRequest(), ORIGIN)
        self.check_events()

    # What must hold.

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
        rows = self.policing.sql.execute(
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
            run = self.policing.runs.get(UUID(event["details"]["policy_run"]))
            assert run.policy == event["details"]["policy"]
            clock_at = datetime.fromisoformat(event["details"]["clock_at"])
            assert clock_at in clocks_of(row, event), event
            assert clock_at + self.age_of_run(run.run_id) <= at, event

    def teardown(self) -> None:
        try:
            self.store.die_after_next(False)
            self.clock.now += timedelta(hours=2)  # what died is sent again
            self.policing.work()
            self.check_events()
            assert self.policing.claims() == []
            for run in self.policing.runs.list_runs(limit=1000).runs:
                assert run.ended_at is not None
                assert run.acted + run.errors <= run.selected
            self.check_bytes()
        finally:
            self.stack.close()

    def check_bytes(self) -> None:
        """Whatever the registry has not removed is in the store, as it was written."""
        for artifact_id, (path, etag) in self.bytes_of.items():
            row = self.row(artifact_id)
            if (path, etag) not in self.removed:
                self.check_stored(row, path, etag)
            elif row["disposition"] != "purged":  # who removed them died, and was stopped
                assert row["disposition"] == "deleted"

    def check_stored(self, row: DictRow, path: str, etag: str) -> None:
        reference = self.policing.uploads.reference(path)
        found = self.store.look(reference, version_id=row["blob_version_id"])
        assert found.etag == etag, row

    # What is known.

    def draw_artifact(self, data: st.DataObject) -> Artifact:
        return self.made[data.draw(st.sampled_from(sorted(self.made)))]

    def row(self, artifact_id: UUID) -> DictRow:
        found = self.policing.sql.execute(
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
        row = self.policing.sql.execute(
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
