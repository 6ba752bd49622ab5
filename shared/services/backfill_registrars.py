"""Who registers blobs of a list: as their hashes are wanted."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from shared.database.pool import Database
from shared.models.backfills import Hashing
from shared.models.listed_blobs import BlobScope
from shared.models.registrations import Origin
from shared.services.backfill_batches import HashedRegistrar, Registrar, UnhashedRegistrar
from shared.services.backfill_items import BlobReader
from shared.services.hash_later import LateHashes
from shared.services.ingestion import IngestionService
from shared.services.rules import RuleService
from shared.storage.accounts import BlobAccounts


@dataclass(frozen=True)
class Registrars:
    """Makes them, each with the rules that are in force when it is made."""

    database: Database
    rules: RuleService
    store: BlobAccounts
    ingestion: IngestionService
    late: LateHashes
    clock: Callable[[], datetime]

    def reader(self, scope: BlobScope) -> BlobReader:
        """Who says what blobs would be registered as. Raises StorageAccountNotAllowed."""
        return BlobReader(scope, self.rules.current(), self.store.of(scope.account).uri)

    def registrar(
        self, scope: BlobScope, hashing: Hashing, origin: Origin, *, is_hearsay: bool
    ) -> Registrar:
        """Raises StorageAccountNotAllowed."""
        if hashing is Hashing.NOW:
            return HashedRegistrar(self.ingestion, self.late, scope, origin)
        return UnhashedRegistrar(
            self.database, self.reader(scope), scope, hashing, is_hearsay, origin, self.clock
        )
