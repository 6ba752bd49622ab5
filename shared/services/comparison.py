"""One comparison of store and registry, both ways."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Protocol
from uuid import UUID

from shared.database.pool import Database
from shared.errors import BlobChanged, BlobNotFound, BlobUnreadable, InvalidInput
from shared.models.blobs import BlobProperties, BlobReference
from shared.models.listed_blobs import BlobScope, ListedBlob, ListedPage
from shared.models.reconciliations import Compared, Difference, Finding
from shared.repositories.reconciliations import ComparedArtifact, ReconciliationRepository
from shared.services.locations import FIRST
from shared.services.reconciliation_repairs import Repairs
from shared.storage.accounts import BlobAccounts

_PAGE = 1000

_Found = tuple[ListedBlob, Finding]


class Watcher(Protocol):
    """Who is told what is found."""

    def progress(self, so_far: Compared) -> None: ...

    def found(self, difference: Difference) -> None: ...


class Comparison:
    """Nothing is believed of a listing alone that the store does not confirm when it is asked."""

    def __init__(
        self,
        database: Database,
        store: BlobAccounts,
        scope: BlobScope,
        repairs: Repairs | None,
        watcher: Watcher,
    ) -> None:
        self._database = database
        self._store = store
        self._scope = scope
        self._repairs = repairs
        self._watcher = watcher
        self.compared = Compared()

    def compare_store(self, run_id: UUID, pages: Iterable[tuple[int, ListedPage]]) -> None:
        """From the store to the registry, page by page, each with its observation number."""
        for observation, page in pages:
            for begun in range(0, len(page.blobs), _PAGE):
                self._compare(run_id, page.blobs[begun : begun + _PAGE], observation)
            self.compared.blobs += len(page.blobs)
            self._watcher.progress(self.compared)

    def compare_registry(self, run_id: UUID) -> None:
        """From the registry to the store, in the order of names."""
        last: tuple[str, str | None] | None = None
        for artifact in self._registered(run_id):
            place = artifact.blob_path, artifact.blob_version_id
            is_ours = artifact.blob_path.startswith(self._scope.prefix)
            if artifact.is_listed or artifact.is_missing or place == last or not is_ours:
                continue
            last = place
            if self._is_gone(*place):
                is_repaired = self._repairs is not None and self._repairs.look(artifact.blob_path)
                self._tell(artifact.blob_path, Finding.MISSING, is_repaired=is_repaired)

    def _compare(self, run_id: UUID, blobs: Sequence[ListedBlob], observation: int) -> None:
        found = self._differing(run_id, blobs)
        failed, still = dict[str, str](), found
        if found and self._repairs is not None:
            failed = self._repairs.mend(found, observation)
            still = self._differing(run_id, [blob for blob, _ in found])
        left = {blob.path for blob, _ in still}
        for blob, finding in found:
            is_repaired = blob.path not in left
            self._tell(blob.path, finding, is_repaired=is_repaired, reason=failed.get(blob.path))

    def _differing(self, run_id: UUID, blobs: Sequence[ListedBlob]) -> list[_Found]:
        """What is not as registered; where another state is, the store is asked once more."""
        found: list[_Found] = []
        for blob, finding in self._compared_with(run_id, blobs):
            if finding is Finding.UNREGISTERED:
                found.append((blob, finding))
                continue
            try:
                now = self._found(blob.path)
            except BlobChanged:  # it differs as long as it does not rest
                found.append((blob, finding))
                continue
            if now is not None:
                seen = replace(blob, etag=now.etag, size_bytes=now.size_bytes)
                found += self._compared_with(run_id, [seen])
        return found

    def _compared_with(self, run_id: UUID, blobs: Sequence[ListedBlob]) -> list[_Found]:
        with self._database.connection() as connection:
            repository = ReconciliationRepository(connection)
            return repository.compare_listed(run_id, self._scope, blobs)

    def _registered(self, run_id: UUID) -> Iterator[ComparedArtifact]:
        after_path, after_id = "", FIRST
        page: Sequence[ComparedArtifact] = ()
        while not page or len(page) == _PAGE:
            with self._database.connection() as connection:
                page = ReconciliationRepository(connection).compare_registered(
                    run_id, self._scope, after_path=after_path, after_id=after_id, limit=_PAGE
                )
            yield from page
            self.compared.artifacts += len(page)
            self._watcher.progress(self.compared)
            if not page:
                return
            after_path, after_id = page[-1].blob_path, page[-1].artifact_id

    def _is_gone(self, path: str, version_id: str | None) -> bool:
        try:
            return self._found(path, version_id) is None
        except (BlobChanged, BlobUnreadable):
            return False  # it is there, or named by a version that the store knows nothing of

    def _found(self, path: str, version_id: str | None = None) -> BlobProperties | None:
        try:
            blob = BlobReference(self._scope.account, self._scope.container, path)
            return self._store.properties(blob, version_id=version_id)
        except (BlobNotFound, InvalidInput):  # a name that no blob can have is nowhere
            return None

    def _tell(
        self, path: str, finding: Finding, *, is_repaired: bool, reason: str | None = None
    ) -> None:
        self.compared.found[finding] += 1
        self.compared.repaired[finding] += is_repaired
        self._watcher.found(Difference(path, finding, is_repaired, reason))
