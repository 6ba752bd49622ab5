"""Backfills of a container of the test's own: who runs them, and what they said on the way."""

import csv
import inspect
import json
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import psycopg
import pytest
from azure.storage.queue import QueueClient
from psycopg.rows import DictRow
from typer.testing import CliRunner, Result

from cli.registry import app
from devhost.stack.azurite import Azurite
from shared import bootstrap
from shared.database.pool import Database
from shared.models.backfills import (
    BackfillPreview,
    BackfillProgress,
    BackfillRequest,
    Counts,
    Hashing,
    RefusedBlob,
)
from shared.models.listed_blobs import BlobList, BlobScope
from shared.models.registrations import Origin
from shared.models.rules import IngestionRule, RuleList
from shared.services.artifact_service import ArtifactService
from shared.services.backfill import BackfillService
from shared.services.backfill_registrars import Registrars
from shared.services.hash_later import LateHashes
from shared.services.ingestion import IngestionService
from shared.services.reconciliation import ReconciliationService
from shared.services.rules import RuleService
from shared.services.set_aside import SetAsideService
from shared.storage.accounts import BlobAccounts
from shared.storage.blobs import BlobStore
from shared.storage.queues import StorageQueue
from tests.integration.clock import TickingClock

ORIGIN = Origin("cli:backfill")
HASHING_QUEUE = "artifact-hashing"
ETAG = "0x8DC1"
Command = Callable[..., Result]

_BUILT = (
    *("database_settings", "identity", "database", "keys", "accounts", "registry"),
    *("backfills", "reconciliations"),
    *("audit_table", "_seal_keys", "_kept_seals", "trail_seals", "audit_verifier"),
    *("_exports", "exported_months", "trail_retention", "trail_recovery"),
)

COLUMNS = ("Name", "Etag", "Content-Length", "Content-Type", "AccessTier", "Metadata", "Tags")


@dataclass
class Told:
    """What a backfill said on the way."""

    parts: list[float | None] = field(default_factory=list[float | None])
    refusals: list[RefusedBlob] = field(default_factory=list[RefusedBlob])

    def progress(self, so_far: BackfillProgress) -> None:
        self.parts.append(so_far.part)

    def refused(self, blob: RefusedBlob) -> None:
        self.refusals.append(blob)


@dataclass
class Backfilling:
    """One container of one account, and the services that know of it."""

    scope: BlobScope
    store: BlobStore
    database: Database
    service: BackfillService
    reconciliation: ReconciliationService
    ingestion: IngestionService
    late: LateHashes
    rules: RuleService
    queue: QueueClient
    told: Told = field(default_factory=Told)

    def run(
        self,
        blobs: BlobList | None = None,
        hashing: Hashing = Hashing.NEVER,
        *,
        restart: bool = False,
        told: Told | None = None,
    ) -> Counts:
        """Of the store's listing, where no other list is given."""
        request = BackfillRequest(self.scope, hashing, restart=restart)
        self.told = told or Told()
        listed = blobs or self.store.listing(self.scope)
        return self.service.run(request, listed, ORIGIN, self.told)

    def preview(self) -> BackfillPreview:
        self.told = Told()
        request, listed = BackfillRequest(self.scope), self.store.listing(self.scope)
        return self.service.preview(request, listed, self.told)

    def rule(self, **fields: Any) -> None:
        """Make a rule for the container, the only one."""
        rule = IngestionRule.model_validate({"container": self.scope.container} | fields)
        self.rules.apply(RuleList(rules=[rule]))

    def sent(self) -> list[list[str]]:
        """Ids of the artifacts that each message on the hashing queue names; it is emptied."""
        found = list(self.queue.receive_messages(max_messages=32))
        for message in found:
            self.queue.delete_message(message)
        return [json.loads(message.content)["artifact_ids"] for message in found]

    def hash_all(self) -> None:
        """What the timer and the queue's function do until nothing is left to do."""
        while self.late.send_due():
            for ids in self.sent():
                body = json.dumps({"artifact_ids": ids}).encode()
                self.late.take(HASHING_QUEUE, body, Origin("function:hash_artifact"))


def backfilling_over(
    connection_string: str,
    container: str,
    database: Database,
    clock: Callable[[], datetime],
    *,
    is_new: bool = True,
) -> Backfilling:
    """The services as `shared.bootstrap` puts them together; the queue is made."""
    store = BlobStore(connection_string)
    accounts = BlobAccounts([store])
    set_aside, artifacts = SetAsideService(database, clock), ArtifactService(database, clock)
    rules = RuleService(database, clock, accounts.accounts)
    ingestion = IngestionService(database, artifacts, set_aside, accounts, rules)
    queue = StorageQueue(connection_string, container)
    late = LateHashes(database, artifacts, ingestion, set_aside, accounts, queue, clock)
    registrars = Registrars(database, rules, accounts, ingestion, late, clock)
    client = QueueClient.from_connection_string(connection_string, container)
    if is_new:
        client.create_queue()
    return Backfilling(
        BlobScope(store.account, container),
        store,
        database,
        BackfillService(database, artifacts, accounts, registrars, clock),
        ReconciliationService(database, artifacts, accounts, registrars, clock),
        ingestion,
        late,
        rules,
        client,
    )


@pytest.fixture
def backfilling(
    azurite: Azurite, storage_container: str, database: Database, clock: TickingClock
) -> Iterator[Backfilling]:
    made = backfilling_over(azurite.connection_string, storage_container, database, clock)
    yield made
    made.queue.delete_queue()


def row(container: str, path: str, **others: str) -> dict[str, str]:
    """A row of an inventory, as Azure writes it."""
    told = {"Name": f"{container}/{path}", "Etag": ETAG, "Content-Length": "3"}
    return told | {name.replace("_", "-"): text for name, text in others.items()}


def write_csv(path: Path, rows: Iterable[dict[str, str]], columns: Sequence[str] = COLUMNS) -> Path:
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, columns, restval="")
        writer.writeheader()
        writer.writerows(rows)
    return path


def stored_by_path(sql: psycopg.Connection[DictRow]) -> dict[str, DictRow]:
    """The artifacts by the names of their blobs; fails where a name has two."""
    rows = sql.execute("SELECT * FROM registry.artifact_records").fetchall()
    found = {row["blob_path"]: row for row in rows}
    assert len(found) == len(rows)
    return found


@pytest.fixture
def command(database_url: str, azurite: Azurite, monkeypatch: pytest.MonkeyPatch) -> Command:
    """Runs a command here, which is quicker, with nothing built that other commands built."""
    environment = dict.fromkeys(name for name in os.environ if "REGISTRY_" in name) | {
        "REGISTRY_DATABASE_URL": database_url,
        "REGISTRY_STORAGE": azurite.connection_string,
        "REGISTRY_KEY_PEPPER": "pepper-of-at-least-thirty-two-bytes",
    }

    return running(monkeypatch, environment)


def running(monkeypatch: pytest.MonkeyPatch, environment: dict[str, str | None]) -> Command:
    """Runs commands here, each as if it were a process of its own."""

    def run(*arguments: str) -> Result:
        for part in _BUILT:
            build = inspect.unwrap(getattr(bootstrap, part))
            monkeypatch.setattr(bootstrap, part, bootstrap._once(build))  # pyright: ignore[reportPrivateUsage]
        return CliRunner().invoke(app, list(arguments), env=environment)

    return run
