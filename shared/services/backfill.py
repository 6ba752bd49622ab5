"""Registering blobs that were there before anybody listened, from a list of them."""

from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from shared.models.backfills import (
    BackfillPreview,
    BackfillProgress,
    BackfillRequest,
    Checkpoint,
    Counts,
    RefusedBlob,
    Tally,
)
from shared.models.listed_blobs import BlobList, BlobScope, ListedPage
from shared.models.registrations import Origin
from shared.repositories.backfills import BackfillRepository
from shared.services.backfill_batches import Batch, Registrar
from shared.services.backfill_preview import preview_blobs
from shared.services.pace import Pace
from shared.services.whole_containers import WholeContainers
from shared.storage.inventory import InventoryFile

_PAGES_ON_THEIR_WAY = 2


class Listener(Protocol):
    """Who is told what happens on the way."""

    def progress(self, so_far: BackfillProgress) -> None: ...

    def refused(self, blob: RefusedBlob) -> None: ...


@dataclass(frozen=True)
class _SentPage:
    page: ListedPage
    batches: list[Future[Batch]]


class BackfillService(WholeContainers):
    """A backfill may be killed at any point, and repeated: every state is registered once.

    Its place among living events is kept by observation numbers, as everywhere. An inventory is
    hearsay, and loses against any observation.
    """

    def list_blobs(
        self, scope: BlobScope, inventory: Path | None, *, with_tags: bool = True
    ) -> BlobList:
        """What the store holds, or what a report says that it held.

        Raises StorageAccountNotAllowed, and InvalidInput where the report cannot be read.
        """
        store = self._store.of(scope.account)
        if inventory is not None:
            return InventoryFile(inventory, scope)
        return store.listing(scope, with_tags=with_tags)

    def run(
        self, request: BackfillRequest, blobs: BlobList, origin: Origin, listener: Listener
    ) -> Counts:
        """Register what is listed, from where an earlier run was cut off; what came of each blob.

        Raises a Retryable where database or storage are away: what was done stays done.
        """
        begun = self._begin(request, blobs)
        heard_at = begun.started_observation if blobs.is_hearsay else None
        registrar = self._registrars.registrar(
            request.scope, request.hashing, origin, is_hearsay=blobs.is_hearsay
        )
        pace = Pace(request.rate)
        sent: deque[_SentPage] = deque()
        with ThreadPoolExecutor(registrar.workers, thread_name_prefix="backfill") as workers:
            try:
                with closing(self._observed(blobs, begun.marker, heard_at)) as pages:
                    for observation, page in pages:
                        sent.append(_send(page, observation, registrar, pace, workers))
                        if len(sent) == _PAGES_ON_THEIR_WAY:
                            self._finish(sent.popleft(), begun, listener)
                while sent:
                    self._finish(sent.popleft(), begun, listener)
            finally:
                workers.shutdown(wait=False, cancel_futures=True)
        self._keep(begun, None)
        return begun.counts

    def preview(
        self, request: BackfillRequest, blobs: BlobList, listener: Listener
    ) -> BackfillPreview:
        """What rules would make of what is listed; nothing of it is done."""
        reader = self._registrars.reader(request.scope)
        return preview_blobs(blobs, reader, listener.refused)

    def _begin(self, request: BackfillRequest, blobs: BlobList) -> Checkpoint:
        # Who asks for another way of hashing asks about all blobs, not about those not done yet.
        source = f"{blobs.identity}, hash {request.hashing}"
        with self._database.connection() as connection, connection.transaction():
            return BackfillRepository(connection).begin(
                request.scope, source, self._clock(), anew=request.restart
            )

    def _finish(self, sent: _SentPage, begun: Checkpoint, listener: Listener) -> None:
        """Wait for a page, then say that all up to its end is done."""
        for batch in (future.result() for future in sent.batches):
            begun.counts.update(batch.counts)
            for refused in batch.refused:
                listener.refused(refused)
        for row in sent.page.unreadable:
            begun.counts[Tally.REFUSED] += 1
            listener.refused(RefusedBlob(row.name, row.reason))
        if sent.page.marker is not None:
            self._keep(begun, sent.page.marker)
        listener.progress(BackfillProgress(begun.counts, sent.page.progress))

    def _keep(self, begun: Checkpoint, marker: str | None) -> None:
        with self._database.connection() as connection:
            BackfillRepository(connection).advance(
                begun.backfill_key, marker, begun.counts, self._clock()
            )


def _send(
    page: ListedPage,
    observation: int,
    registrar: Registrar,
    pace: Pace,
    workers: ThreadPoolExecutor,
) -> _SentPage:
    batches: list[Future[Batch]] = []
    for begun in range(0, len(page.blobs), registrar.batch_blobs):
        some = page.blobs[begun : begun + registrar.batch_blobs]
        pace.wait(len(some))
        batches.append(workers.submit(registrar.register, some, observation))
    return _SentPage(page, batches)
