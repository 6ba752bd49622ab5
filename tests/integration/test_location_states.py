"""A state machine: however often and in which order it is told what happened to blobs, the registry
ends with what the store holds.
"""

import itertools
from collections.abc import Iterator
from contextlib import ExitStack
from typing import ClassVar

import psycopg
import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from psycopg.rows import DictRow

from devhost.stack.azurite import Azurite
from shared.database.pool import Database
from shared.models.blobs import BlobReference
from shared.services.ingestion import IngestionService
from tests.integration.messages import (
    apply_rules,
    deliver,
    event,
    operations,
    renamed,
    set_aside,
    stored,
    told,
)
from tests.integration.registering import hash_of
from tests.integration.uploads import Uploads, uploading_to

FOLDERS = ("a", "b", "c")
FILES = ("1", "2")
PATHS = st.tuples(st.sampled_from(FOLDERS), st.sampled_from(FILES))
CONTENTS = st.sampled_from(["one", "two", "three"])
Path = tuple[str, str]


class Uploading(RuleBasedStateMachine):
    """Blobs in a store, and events about them that are delivered late, again, and in any order."""

    sql: ClassVar[psycopg.Connection[DictRow]]
    database: ClassVar[Database]
    ingestion: ClassVar[IngestionService]
    containers: ClassVar[Iterator[Uploads]]
    is_one_asset: ClassVar[bool]
    """Whether a file is the same asset in whichever folder it is."""

    def __init__(self) -> None:
        super().__init__()
        self.uploads = next(self.containers)
        self.truth: dict[Path, str] = {}
        self.pending: list[bytes] = []
        self.told: list[bytes] = []

    @initialize()
    def put_rules_in_force(self) -> None:
        refs = {"container": "{container}", "file": "{file}"}
        if not self.is_one_asset:
            refs["folder"] = "{folder}"
        apply_rules(
            self.database,
            {
                "name": "files",
                "container": self.uploads.container.container_name,
                "path": "{folder}/{file}",
                "client_type": "file",
                "client_refs": refs,
            },
        )

    def blob(self, path: Path) -> BlobReference:
        return self.uploads.reference("/".join(path))

    def tell(self, body: bytes) -> None:
        self.pending.append(body)
        self.told.append(body)

    def others(self, path: Path) -> list[Path]:
        """Where else the store holds blobs of the same asset."""
        return [p for p in self.truth if self.is_one_asset and p[1] == path[1] and p != path]

    @rule(path=PATHS, content=CONTENTS, is_delivered_at_once=st.booleans())
    def upload(self, path: Path, content: str, is_delivered_at_once: bool) -> None:
        if self.others(path):
            return  # of several blobs of one asset, the one registered last is current: by order
        self.uploads.put("/".join(path), content.encode())
        self.truth[path] = content
        self.tell(event(self.blob(path)))
        if is_delivered_at_once:
            deliver(self.ingestion, self.pending.pop())

    @precondition(lambda self: self.truth)
    @rule(data=st.data())
    def delete(self, data: st.DataObject) -> None:
        path = data.draw(st.sampled_from(sorted(self.truth)))
        del self.truth[path]
        self.uploads.container.delete_blob("/".join(path))
        self.tell(told("BlobDeleted", self.blob(path), api="DeleteBlob"))

    @precondition(lambda self: self.truth)
    @rule(data=st.data(), folder=st.sampled_from(FOLDERS))
    def rename(self, data: st.DataObject, folder: str) -> None:
        old = data.draw(st.sampled_from(sorted(self.truth)))
        new = (folder, old[1])
        if old == new or (self.is_one_asset and new in self.truth):
            return
        self.move(old, new)
        self.tell(renamed(self.blob(old), self.blob(new)))

    @rule(old=st.sampled_from(FOLDERS), new=st.sampled_from(FOLDERS))
    def rename_folder(self, old: str, new: str) -> None:
        inside = [path for path in self.truth if path[0] == old]
        if old == new or any(path[0] == new for path in self.truth):
            return
        for path in inside:
            self.move(path, (new, path[1]))
        names = (self.uploads.reference(old), self.uploads.reference(new))
        self.tell(renamed(*names, "DirectoryRenamed"))

    def move(self, old: Path, new: Path) -> None:
        self.uploads.put("/".join(new), self.truth[old].encode())
        self.uploads.container.delete_blob("/".join(old))
        self.truth[new] = self.truth.pop(old)

    @precondition(lambda self: self.pending)
    @rule(data=st.data())
    def deliver_one(self, data: st.DataObject) -> None:
        place = data.draw(st.integers(0, len(self.pending) - 1))
        deliver(self.ingestion, self.pending.pop(place))

    @precondition(lambda self: self.told)
    @rule(data=st.data())
    def deliver_again(self, data: st.DataObject) -> None:
        deliver(self.ingestion, data.draw(st.sampled_from(self.told)))

    def rows(self) -> list[DictRow]:
        mine = self.uploads.container.container_name
        return [row for row in stored(self.sql) if row["container"] == mine]

    @invariant()
    def no_two_artifacts_are_one_state(self) -> None:
        states = [(row["blob_path"], row["blob_etag"]) for row in self.rows()]
        assert len(states) == len(set(states))

    @rule(data=st.data())
    def deliver_all(self, data: st.DataObject) -> None:
        self.told_in_order(data.draw(st.permutations(self.pending)))

    def told_in_order(self, bodies: list[bytes]) -> None:
        """Once everything was told, at least once, the registry holds what the store does."""
        deliver(self.ingestion, *bodies)
        self.pending.clear()
        there = {
            row["blob_path"]: row["content_hash"]
            for row in self.rows()
            if row["status"] == "active" and row["missing_since"] is None
        }
        assert there == {"/".join(path): hash_of(text) for path, text in self.truth.items()}
        lost = {row["blob_path"] for row in self.rows() if row["missing_since"]}
        assert lost.isdisjoint(there)
        assert {row["blob_path"] for row in self.rows()} <= lost | there.keys()

    def teardown(self) -> None:
        self.told_in_order(self.pending)


@pytest.mark.parametrize(
    ("is_one_asset", "examples"),
    [(True, 12), *(pytest.param(each, 25, marks=pytest.mark.long) for each in (True, False))],
)
def test_in_the_end_the_registry_holds_what_the_store_does(
    azurite: Azurite,
    unique_name: str,
    database: Database,
    ingestion: IngestionService,
    sql: psycopg.Connection[DictRow],
    is_one_asset: bool,
    examples: int,
) -> None:
    with ExitStack() as stack:
        containers = (
            stack.enter_context(uploading_to(azurite.connection_string, f"{unique_name}-{number}"))
            for number in itertools.count()
        )
        fixtures = {
            "sql": sql,
            "database": database,
            "ingestion": ingestion,
            "containers": containers,
            "is_one_asset": is_one_asset,
        }
        run_state_machine_as_test(
            type("Bound", (Uploading,), fixtures),
            settings=settings(
                max_examples=examples,
                stateful_step_count=15,
                deadline=None,
                suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
            ),
        )
    assert {kept["reason"] for kept in set_aside(sql)} <= {"blob_not_found"}
    assert is_one_asset or "location_moved" not in operations(sql)
