"""A trail of several months, what ends it, and where it is exported to."""

import gzip
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from uuid import UUID

from azure.storage.blob import BlobServiceClient, ContainerClient

from shared.models.audit_retention import ExportProof, KeepingTime, Retained
from shared.models.registrations import Origin
from shared.services.audit_exported import ExportedMonths
from shared.services.audit_retention import TrailRetention
from shared.services.audit_verification import AuditVerifier
from shared.storage.audit_table import AuditTable
from shared.storage.kept_blobs import KeptBlobs
from tests.integration.auditing import write_event
from tests.integration.proving import Proving

JANUARY = date(2030, 1, 1)
FILE = "2030/2030-01.jsonl.gz"
EVENTS = 12
"""Of January, on two days; February and March have half as many."""
DAYS = (date(2030, 1, 14), date(2030, 1, 31), date(2030, 2, 15), date(2030, 3, 20))
KEEPING = KeepingTime(minimum_days=30, months=1)
ORIGIN = Origin("function:keep_audit_months", "some invocation")


@dataclass
class Retaining:
    """January may go, when the clock is in March and the days are sealed."""

    proof: Proving
    container: ContainerClient
    exports: KeptBlobs
    keeping: KeepingTime = KEEPING

    @property
    def months(self) -> ExportedMonths:
        return ExportedMonths(self.proof.database, self.exports, self.proof.kept, self.proof.keys)

    def retention(self, table: AuditTable | None = None) -> TrailRetention:
        proof, table = self.proof, table or self.proof.trail.table
        return TrailRetention(
            proof.database,
            table,
            self.exports,
            verifier=AuditVerifier(proof.database, table, proof.kept, proof.keys),
            exported_months=self.months,
            keeping=self.keeping,
            clock=proof.clock,
        )

    def retain(self, keeping: KeepingTime | None = None) -> Retained:
        return replace(self, keeping=keeping or self.keeping).retention().retain(60, ORIGIN)

    def live(self) -> None:
        for day in DAYS:
            self.proof.clock.now = datetime(day.year, day.month, day.day, 12, tzinfo=UTC)
            for number in range(EVENTS // 2):
                artifact = UUID(int=number) if number % 3 else None
                write_event(self.proof.sql, "some", artifact, '{"said": "two\\nlines, ümläuts"}')
            self.proof.relay.relay(60)

    def seal(self) -> None:
        self.proof.seals.seal_days(60)

    def wait(self) -> None:
        self.proof.clock.now += timedelta(days=1)

    def prove(self) -> ExportProof:
        return self.months.prove(self.exports.chunks(FILE))

    @property
    def file(self) -> bytes:
        return self.container.download_blob(FILE).readall()

    @property
    def lines(self) -> list[bytes]:
        return gzip.decompress(self.file).splitlines()

    def put(self, content: bytes) -> None:
        """Behind the registry's back."""
        self.container.upload_blob(FILE, content, overwrite=True)

    @property
    def names(self) -> list[str]:
        return list(self.exports.paths())

    def rows(self, *columns: str) -> list[tuple[object, ...]]:
        """What the database knows of months."""
        rows = self.proof.sql.execute("SELECT * FROM registry.trail_months ORDER BY month")
        return [tuple(row[column] for column in columns) for row in rows.fetchall()]


@contextmanager
def retaining(connection_string: str, unique_name: str, proof: Proving) -> Generator[Retaining]:
    """With months that are lived and sealed."""
    name = f"exports-{unique_name}"[:60]
    with BlobServiceClient.from_connection_string(connection_string) as service:
        container = service.get_container_client(name)
        retained = Retaining(proof, container, KeptBlobs(connection_string, name))
        retained.live()
        retained.seal()
        yield retained
        if container.exists():
            container.delete_container()


def left_in(proof: Proving) -> Iterator[int]:
    """Numbers of the events of which the database has digests."""
    rows = proof.sql.execute("SELECT number FROM registry.trail ORDER BY number").fetchall()
    return (row["number"] for row in rows)
