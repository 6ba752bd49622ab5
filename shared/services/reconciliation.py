"""Comparing store and registry, both ways, and mending what differs."""

from collections.abc import Generator
from contextlib import closing, contextmanager
from datetime import timedelta
from uuid import UUID

from shared.models.backfills import Hashing
from shared.models.ids import new_id, repeatable_id
from shared.models.listed_blobs import BlobScope
from shared.models.reconciliations import Compared
from shared.models.registrations import Origin
from shared.repositories.reconciliations import ReconciliationRepository
from shared.services.comparison import Comparison, Watcher
from shared.services.locations import FIRST
from shared.services.reconciliation_repairs import Repairs
from shared.services.whole_containers import WholeContainers

_FORGOTTEN_AT_ONCE = 10_000
_FORGOTTEN_AFTER = timedelta(days=7)


class ReconciliationService(WholeContainers):
    """Says what differs, and mends it. What was deleted on purpose does not differ."""

    def compare(self, scope: BlobScope, watcher: Watcher, *, with_tags: bool = True) -> Compared:
        """Compare all that is listed, then all that is registered.

        Raises BlobNotFound where there is no such container, StorageAccountNotAllowed, Retryables.
        """
        return self._run(scope, None, watcher, with_tags=with_tags)

    def repair(
        self,
        scope: BlobScope,
        watcher: Watcher,
        hashing: Hashing,
        origin: Origin,
        *,
        with_tags: bool = True,
    ) -> Compared:
        """The same, and mend what differs."""
        registrar = self._registrars.registrar(scope, hashing, origin, is_hearsay=False)
        repairs = Repairs(registrar, self._registrars.ingestion, scope, origin)
        return self._run(scope, repairs, watcher, with_tags=with_tags)

    def _run(
        self, scope: BlobScope, repairs: Repairs | None, watcher: Watcher, *, with_tags: bool
    ) -> Compared:
        listed = self._store.of(scope.account).listing(scope, with_tags=with_tags)
        comparison = Comparison(self._database, self._store, scope, repairs, watcher)
        with self._remembered() as run_id:
            with closing(self._observed(listed)) as pages:
                comparison.compare_store(run_id, pages)
            comparison.compare_registry(run_id)
        return comparison.compared

    @contextmanager
    def _remembered(self) -> Generator[UUID]:
        """A run whose notes are forgotten at its end; those of runs that died, after a week."""
        run_id = new_id()
        old = repeatable_id("", self._clock() - _FORGOTTEN_AFTER)
        self._forget(FIRST, old)
        try:
            yield run_id
        finally:
            self._forget(run_id, run_id)

    def _forget(self, first: UUID, last: UUID) -> None:
        forgotten = _FORGOTTEN_AT_ONCE
        while forgotten == _FORGOTTEN_AT_ONCE:
            with self._database.connection() as connection:
                repository = ReconciliationRepository(connection)
                forgotten = repository.forget(first, last, _FORGOTTEN_AT_ONCE)
