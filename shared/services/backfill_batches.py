"""Registering some blobs of a list: unhashed, all in one statement, or hashed, one by one."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from time import sleep
from typing import Any, Protocol

from shared.database.constraints import constraint_errors
from shared.database.pool import Database
from shared.errors import (
    ArtifactConflict,
    BlobChanged,
    DatabaseUnavailable,
    InvalidInput,
    RegistryError,
    Retryable,
)
from shared.models.backfills import Counts, Hashing, RefusedBlob, Tally
from shared.models.blobs import BlobReference
from shared.models.listed_blobs import BlobScope, ListedBlob
from shared.models.registrations import Origin
from shared.repositories.backfills import BackfillRepository
from shared.services.backfill_items import BlobReader, Item
from shared.services.hash_later import LateHashes
from shared.services.ingestion import IngestionService
from shared.services.ingestion_looks import BLOB_BACKEND
from shared.telemetry.metrics import REGISTRATIONS

_ATTEMPTS = 5
_PAUSE_SECONDS = 2.0


@dataclass(frozen=True)
class Batch:
    """What came of some blobs."""

    counts: Counts = field(default_factory=Counter[Tally])
    refused: list[RefusedBlob] = field(default_factory=list[RefusedBlob])


class Registrar(Protocol):
    """Registers blobs of a list, from several threads at once."""

    @property
    def workers(self) -> int:
        """How many threads it is worth."""
        ...

    @property
    def batch_blobs(self) -> int:
        """How many blobs it takes at a time."""
        ...

    def register(self, blobs: Sequence[ListedBlob], observation: int) -> Batch:
        """The number was taken before the blobs were listed. Raises a Retryable."""
        ...


@dataclass(frozen=True)
class UnhashedRegistrar:
    """Believes the list, and leaves the bytes alone."""

    database: Database
    reader: BlobReader
    scope: BlobScope
    hashing: Hashing
    is_hearsay: bool
    origin: Origin
    clock: Callable[[], datetime]
    workers: int = 3
    """Two wait for the database, one prepares: so neither waits for the other."""
    batch_blobs: int = 1000

    def register(self, blobs: Sequence[ListedBlob], observation: int) -> Batch:
        items, refused = self.reader.items(blobs)
        common = {
            "storage_backend": BLOB_BACKEND,
            "storage_account": self.scope.account,
            "container": self.scope.container,
            "observation": observation,
            "is_hearsay": self.is_hearsay,
            "is_hashed_later": self.hashing is Hashing.LATER,
            "origin": self.origin.as_json(),
            "at": self.clock().isoformat(),
        }
        batch = Batch(refused=refused)
        self._register_all(items, common, batch)
        batch.counts[Tally.REFUSED] += len(batch.refused)
        return batch

    def _register_all(self, items: Sequence[Item], common: dict[str, Any], batch: Batch) -> None:
        """All at once; halves of it where one item, unknown which, stops the others."""
        if not items:
            return
        try:
            batch.counts.update(self._send(items, common))
        except InvalidInput as fault:
            if len(items) == 1:
                batch.refused.append(RefusedBlob(items[0]["blob_path"], fault.summary))
                return
            middle = len(items) // 2
            self._register_all(items[:middle], common, batch)
            self._register_all(items[middle:], common, batch)

    def _send(self, items: Sequence[Item], common: dict[str, Any]) -> list[Tally]:
        """Wait for a database that is away for a moment: the same items change nothing twice."""
        for _ in range(_ATTEMPTS - 1):
            try:
                return self._send_once(items, common)
            except DatabaseUnavailable:
                sleep(_PAUSE_SECONDS)
        return self._send_once(items, common)

    def _send_once(self, items: Sequence[Item], common: dict[str, Any]) -> list[Tally]:
        with self.database.connection() as connection, constraint_errors():
            tallies = BackfillRepository(connection).register_listed(items, common)
        for tally, times in Counter(tallies).items():
            if tally is not Tally.CONFLICT:
                REGISTRATIONS.add(times, {"outcome": tally})
        return tallies


@dataclass(frozen=True)
class HashedRegistrar:
    """Takes a list for names only: what is registered is what the store holds when it is read."""

    ingestion: IngestionService
    late: LateHashes
    scope: BlobScope
    origin: Origin
    workers: int = 8
    batch_blobs: int = 50

    def register(self, blobs: Sequence[ListedBlob], observation: int) -> Batch:
        del observation  # each blob takes its own when it is read
        batch = Batch()
        for blob in blobs:
            try:
                batch.counts[self._register(blob)] += 1
            except ArtifactConflict:
                batch.counts[Tally.CONFLICT] += 1
            except RegistryError as fault:
                # A blob that does not rest keeps no others waiting: it can be registered later.
                if isinstance(fault, Retryable) and not isinstance(fault, BlobChanged):
                    raise
                batch.counts[Tally.REFUSED] += 1
                batch.refused.append(RefusedBlob(blob.path, fault.summary))
        return batch

    def _register(self, blob: ListedBlob) -> Tally:
        reference = BlobReference(self.scope.account, self.scope.container, blob.path)
        registered = self.ingestion.register_blob(reference, self.origin)
        if registered.artifact.content_hash is None:
            self.late.hash_artifact(registered.artifact.artifact_id, self.origin)
        return Tally(registered.outcome)
