"""Archiving and purging: what happens to an artifact's bytes, and then to its record."""

from collections.abc import Callable
from datetime import datetime
from uuid import UUID

from shared.database.pool import Database
from shared.models.registrations import Move, Origin
from shared.storage.blobs import BlobStore


class RetirementService:
    """Moves bytes first and the record after, so that a crash between leaves work, not a lie."""

    def __init__(self, database: Database, store: BlobStore, clock: Callable[[], datetime]) -> None:
        self._database = database
        self._store = store
        self._clock = clock

    def archive(
        self, artifact_id: UUID, target_tier: str, origin: Origin, *, if_match: str | None = None
    ) -> Move:
        """Put the bytes into a colder tier and record that they are archived."""
        raise NotImplementedError

    def purge(self, artifact_id: UUID, origin: Origin, *, if_match: str | None = None) -> Move:
        """Remove the bytes of a deleted artifact; the tombstone stays."""
        raise NotImplementedError
