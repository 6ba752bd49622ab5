"""A state machine: whatever the order of calls, the registry equals a small model of the rules."""

from dataclasses import dataclass, field
from typing import Any, ClassVar
from uuid import UUID, uuid4

import psycopg
import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from psycopg.rows import DictRow, dict_row
from pydantic import JsonValue

from shared.database.pool import Database
from shared.errors import ArtifactConflict, InvalidTransition
from shared.models.registrations import UNATTRIBUTED
from shared.services.artifact_service import ArtifactService
from shared.services.retirement import RetirementService
from shared.services.transitions import ContentFacts
from shared.storage.blobs import BlobStore
from tests.integration.clock import TickingClock
from tests.integration.registering import hash_of


@dataclass
class Revision:
    """What the model knows of one artifact."""

    artifact_id: UUID
    content: str | None
    processing: str
    disposition: str = "live"
    metadata: dict[str, JsonValue] = field(default_factory=dict[str, JsonValue])
    segment: int | None = None
    """Number of the chain that it is part of; None while it is in none."""


@dataclass
class Model:
    """One asset by the rules of the design, without a thought for speed."""

    revisions: list[Revision] = field(default_factory=list[Revision])
    current: Revision | None = None
    segments: int = 0

    def add(self, revision: Revision) -> None:
        self.revisions.append(revision)
        if revision.processing == "completed":
            self.place(revision)

    def place(self, revision: Revision) -> None:
        index = self.revisions.index(revision)
        later = [r for r in self.revisions[index + 1 :] if r.segment is not None]
        if later:
            revision.segment = later[0].segment
            return
        if self.current is None:
            self.segments += 1
        revision.segment = self.current.segment if self.current else self.segments
        self.current = revision

    def chain_of(self, revision: Revision) -> list[Revision]:
        if revision.segment is None:
            return [revision]
        return [r for r in self.revisions if r.segment == revision.segment]

    def status_of(self, revision: Revision) -> str:
        if revision.disposition in {"deleted", "purged"}:
            return "deleted"
        if revision.disposition == "archived":
            return "archived"
        if revision.segment is not None and self.chain_of(revision)[-1] is not revision:
            return "superseded"
        return "active" if revision.processing == "completed" else "pending"


class OneAsset(RuleBasedStateMachine):
    """Calls on one asset, and after each the whole of it compared with the model."""

    service: ClassVar[ArtifactService]
    retirement: ClassVar[RetirementService]
    sql: ClassVar[psycopg.Connection[DictRow]]

    artifacts = Bundle("artifacts")

    def __init__(self) -> None:
        super().__init__()
        self.refs = {"name": str(uuid4())}
        self.model = Model()

    def revision(self, artifact_id: UUID) -> Revision:
        return next(r for r in self.model.revisions if r.artifact_id == artifact_id)

    @rule(
        target=artifacts,
        content=st.sampled_from(["a", "b", None]),
        overwrite=st.booleans(),
        processing=st.sampled_from(["completed", "pending"]),
    )
    def register(self, content: str | None, overwrite: bool, processing: str) -> UUID:
        current = self.model.current
        fields: dict[str, Any] = {
            "client_type": "x",
            "client_refs": self.refs,
            "overwrite": overwrite,
            "processing": processing,
            "content_hash": hash_of(content) if content else None,
        }
        if current and content and current.content == content:
            made = self.service.create_artifact(**fields)
            assert made.artifact_id == current.artifact_id
        elif current and not overwrite:
            with pytest.raises(ArtifactConflict) as conflict:
                self.service.create_artifact(**fields)
            assert conflict.value.current_artifact_id == current.artifact_id
            return current.artifact_id
        else:
            made = self.service.create_artifact(**fields)
            self.model.add(Revision(made.artifact_id, content, processing))
            assert made.revision == len(self.model.revisions)
        return made.artifact_id

    @rule(artifact_id=artifacts, content=st.sampled_from(["a", "b"]))
    def complete(self, artifact_id: UUID, content: str) -> None:
        revision = self.revision(artifact_id)
        facts = (
            None
            if revision.content
            else ContentFacts.model_validate({"content_hash": hash_of(content)})
        )
        if revision.processing == "completed":
            self.service.complete(artifact_id)
        elif revision.processing == "failed" or revision.disposition != "live":
            with pytest.raises(InvalidTransition):
                self.service.complete(artifact_id, facts)
        else:
            self.service.complete(artifact_id, facts)
            revision.content = revision.content or content
            revision.processing = "completed"
            self.model.place(revision)

    @rule(artifact_id=artifacts)
    def fail(self, artifact_id: UUID) -> None:
        revision = self.revision(artifact_id)
        if revision.processing == "completed" or (
            revision.processing == "pending" and revision.disposition != "live"
        ):
            with pytest.raises(InvalidTransition):
                self.service.fail(artifact_id)
        else:
            self.service.fail(artifact_id)
            revision.processing = "failed"

    @rule(artifact_id=artifacts)
    def delete(self, artifact_id: UUID) -> None:
        revision = self.revision(artifact_id)
        self.service.mark_deleted(artifact_id)
        self._retire(revision, "purged" if revision.disposition == "purged" else "deleted")

    @rule(artifact_id=artifacts)
    def purge(self, artifact_id: UUID) -> None:
        revision = self.revision(artifact_id)
        if revision.disposition in {"deleted", "purged"}:
            self.retirement.purge(artifact_id, UNATTRIBUTED)
            revision.disposition = "purged"
        else:
            with pytest.raises(InvalidTransition):
                self.retirement.purge(artifact_id, UNATTRIBUTED)

    @rule(artifact_id=artifacts, key=st.sampled_from("xy"), value=st.sampled_from([None, 1, "1"]))
    def update(self, artifact_id: UUID, key: str, value: JsonValue) -> None:
        revision = self.revision(artifact_id)
        if revision.disposition in {"deleted", "purged"}:
            with pytest.raises(InvalidTransition):
                self.service.update_metadata(artifact_id, {key: value})
        else:
            revision.metadata[key] = value
            updated = self.service.update_metadata(artifact_id, {key: value})
            assert updated.metadata == revision.metadata

    @rule(artifact_id=artifacts)
    def archive(self, artifact_id: UUID) -> None:
        revision = self.revision(artifact_id)
        is_done = revision.processing == "completed" or revision.disposition == "archived"
        if revision.disposition in {"deleted", "purged"} or not is_done:
            with pytest.raises(InvalidTransition):
                self.service.mark_archived(artifact_id)
        else:
            self.service.mark_archived(artifact_id)
            self._retire(revision, "archived")

    def _retire(self, revision: Revision, disposition: str) -> None:
        revision.disposition = disposition
        if self.model.current is revision:
            self.model.current = None

    @precondition(lambda self: self.model.revisions)
    @invariant()
    def equals_the_model(self) -> None:
        rows = self.sql.execute(
            "SELECT * FROM registry.artifact_records WHERE client_refs = %s::jsonb "
            "ORDER BY revision",
            [f'{{"name": "{self.refs["name"]}"}}'],
        ).fetchall()
        expected = [
            (
                number,
                r.artifact_id,
                self.model.status_of(r),
                r.processing,
                r.disposition,
                r.metadata,
            )
            for number, r in enumerate(self.model.revisions, 1)
        ]
        columns = ("revision", "artifact_id", "status", "processing", "disposition", "metadata")
        assert [tuple(row[column] for column in columns) for row in rows] == expected
        asset = self.sql.execute(
            "SELECT * FROM registry.assets WHERE asset_id = %s", [rows[0]["asset_id"]]
        ).fetchone()
        assert asset
        current = self.model.current
        assert asset["current_artifact_id"] == (current.artifact_id if current else None)

    @precondition(lambda self: self.model.revisions)
    @invariant()
    def chains_are_linked_both_ways_and_read_as_the_model_says(self) -> None:
        revision = self.model.revisions[len(self.model.revisions) // 2]
        expected = [r.artifact_id for r in self.model.chain_of(revision)]
        chain = self.service.get_supersession_chain(revision.artifact_id)
        assert [a.artifact_id for a in chain.artifacts] == expected
        assert chain.chain_length == len(expected)
        links = [(a.supersedes, a.superseded_by) for a in chain.artifacts]
        assert links == list(zip([None, *expected[:-1]], [*expected[1:], None], strict=True))


@pytest.mark.parametrize("examples", [15, pytest.param(300, marks=pytest.mark.long)])
def test_any_order_of_calls_equals_the_model(database_url: str, examples: int) -> None:
    database = Database(database_url, size=2, timeout_seconds=10)
    connect = psycopg.Connection[DictRow].connect
    with connect(database_url, autocommit=True, row_factory=dict_row) as sql:
        OneAsset.service = ArtifactService(database, TickingClock())
        nowhere = BlobStore("UseDevelopmentStorage=true")  # no artifact here has a location
        OneAsset.retirement = RetirementService(database, nowhere, TickingClock())
        OneAsset.sql = sql
        run_state_machine_as_test(  # pyright: ignore[reportUnknownMemberType] - untyped there
            OneAsset,
            settings=settings(
                max_examples=examples,
                stateful_step_count=25,
                deadline=None,
                suppress_health_check=[HealthCheck.too_slow],
            ),
        )
    database.close()
