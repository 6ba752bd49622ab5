"""Everything that may happen to what policies act on, in any order."""

import json
from collections.abc import Callable, Mapping
from contextlib import ExitStack, suppress
from datetime import timedelta
from typing import Any, ClassVar
from uuid import UUID

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from shared.errors import BlobNotFound, PolicyLocked, RegistryError, StorageUnavailable
from shared.models.artifacts import Artifact
from shared.models.blobs import BlobProperties
from shared.models.holds import HoldRequest
from shared.models.policies import Policy
from shared.models.registrations import UNATTRIBUTED
from shared.models.rehydrations import RehydrateRequest
from shared.models.tiers import ColderTier
from tests.integration.policing import COOL, DELETE, EXPIRE, ORIGIN, PURGE, QUEUE
from tests.integration.policy_facts import PolicyFacts, Store

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


def pick(data: st.DataObject, known: Mapping[UUID, object]) -> UUID:
    """One of these, in the order in which they were made: drawn alike however many there are."""
    return list(known)[data.draw(st.integers(0, 9999)) % len(known)]


class Enforcing(RuleBasedStateMachine):
    """One registry an example; `open_store` is given what is to watch the store."""

    open_store: ClassVar[Callable[[ExitStack, Callable[[str, BlobProperties], None]], Store]]

    def __init__(self) -> None:
        super().__init__()
        self.facts = PolicyFacts()
        self.stack = ExitStack()
        self.facts.store = self.store = type(self).open_store(self.stack, self.facts.watch)
        self.policing = self.store.policing
        self.clock = self.policing.clock
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
        end = self.clock.now + timedelta(days=5) if ends else None
        self.keep(asset, written, expires_at=end)
        if written.version_id is None:  # the uploader itself has overwritten what was there
            for other, (place, etag) in list(self.facts.bytes_of.items()):
                if place == path and etag != written.etag:
                    del self.facts.bytes_of[other]

    @precondition(lambda self: self.facts.bytes_of)
    @rule(data=st.data())
    def register_elsewhere(self, data: st.DataObject) -> None:
        """The same bytes at the same place, as another asset's."""
        known = self.facts.row(pick(data, self.facts.bytes_of))
        reference = self.policing.uploads.reference(known["blob_path"])
        with suppress(BlobNotFound):
            found = self.store.look(reference, version_id=known["blob_version_id"])
            if found.etag == known["blob_etag"]:
                self.keep("c", found, register_unchanged=True)

    def keep(self, asset: str, blob: BlobProperties, **fields: Any) -> None:
        artifact = self.policing.artifacts.create_artifact(
            client_type="ddh",
            client_refs={"name": asset},
            overwrite=True,
            storage_account=blob.reference.account,
            container=blob.reference.container,
            blob_path=blob.reference.path,
            blob_etag=blob.etag,
            blob_version_id=blob.version_id,
            size_bytes=blob.size_bytes,
            **fields,
        )
        self.facts.made[artifact.artifact_id] = artifact
        self.facts.bytes_of[artifact.artifact_id] = (blob.reference.path, blob.etag)
        self.facts.check_events()

    @precondition(lambda self: self.facts.made)
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
        self.facts.holds[hold.hold_id] = (kind, of)
        self.facts.check_events()

    @precondition(lambda self: self.facts.holds)
    @rule(data=st.data())
    def release(self, data: st.DataObject) -> None:
        hold_id = pick(data, self.facts.holds)
        self.policing.holds.release(hold_id, ORIGIN)
        del self.facts.holds[hold_id]

    @rule(base=st.sampled_from(POLICIES), age=AGES, keep=st.integers(0, 2), on=st.booleans())
    def change_policy(self, base: dict[str, Any], age: str, keep: int, on: bool) -> None:
        kept = {"keep_last": keep} if base["kind"] in {"archive", "delete"} else {}
        self.policing.enforce(base, age=age, enabled=on, **kept)

    @rule(base=st.sampled_from(LOCKS), age=st.sampled_from(["P1D", "P30D", "P100D"]))
    def lock(self, base: dict[str, Any], age: str) -> None:
        policy = Policy.model_validate({**base, "age": age, "locked": True})
        known = self.facts.locks.get(policy.name)
        try:
            self.policing.policies.put(policy, UNATTRIBUTED)
        except PolicyLocked:
            assert known
            assert policy.age < known.age
        else:
            assert known is None or policy.age >= known.age
            self.facts.locks[policy.name] = policy

    @rule(days=st.sampled_from([1, 4, 9, 31]))
    def wait(self, days: int) -> None:
        self.clock.now += timedelta(days=days)

    @rule(begins=st.booleans())
    def tick(self, begins: bool) -> None:
        if begins:
            self.policing.runs.start_due()
        self.policing.runs.advance()
        self.facts.check_events()

    @rule(dies=st.booleans())
    def act(self, dies: bool) -> None:
        """Deliver what was sent; who acts may die once the store has done what it was told."""
        if dies:
            self.store.die_after_next(True)
        self.policing.take_all()
        self.facts.check_events()

    @precondition(lambda self: self.facts.made)
    @rule(data=st.data())
    def deliver_late(self, data: st.DataObject) -> None:
        body = json.dumps({"artifact_ids": [str(self.draw_artifact(data).artifact_id)]})
        with suppress(StorageUnavailable):
            self.policing.actions.take(QUEUE, body.encode(), ORIGIN)
        self.facts.check_events()

    @rule(base=st.sampled_from(POLICIES + LOCKS))
    def run_now(self, base: dict[str, Any]) -> None:
        with suppress(RegistryError):
            self.policing.runs.run(base["name"], ORIGIN)
        self.facts.check_events()

    @precondition(lambda self: self.facts.made)
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
        self.facts.check_events()

    def teardown(self) -> None:
        try:
            self.store.die_after_next(False)
            self.clock.now += timedelta(hours=2)  # what died is sent again
            self.policing.work()
            self.facts.check_events()
            assert self.policing.claims() == []
            for run in self.policing.runs.list_runs(limit=1000).runs:
                assert run.ended_at is not None
                assert run.acted + run.errors <= run.selected
            self.facts.check_bytes()
        finally:
            self.stack.close()

    def draw_artifact(self, data: st.DataObject) -> Artifact:
        return self.facts.made[pick(data, self.facts.made)]
