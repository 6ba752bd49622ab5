"""Work on everything that a container holds: what all such services have in common."""

from collections.abc import Callable, Generator
from datetime import datetime

from shared.database.pool import Database
from shared.models.listed_blobs import BlobList, ListedPage
from shared.services.artifact_service import ArtifactService
from shared.services.backfill_registrars import Registrars
from shared.storage.accounts import BlobAccounts
from shared.storage.read_ahead import read_ahead


class WholeContainers:
    """Works through lists of blobs, page by page."""

    def __init__(
        self,
        database: Database,
        artifacts: ArtifactService,
        store: BlobAccounts,
        registrars: Registrars,
        clock: Callable[[], datetime],
    ) -> None:
        self._database = database
        self._artifacts = artifacts
        self._store = store
        self._registrars = registrars
        self._clock = clock

    @property
    def accounts(self) -> tuple[str, ...]:
        """Names of the storage accounts that are served, the registry's own first."""
        return self._store.accounts

    def _observed(
        self, blobs: BlobList, marker: str | None = None, number: int | None = None
    ) -> Generator[tuple[int, ListedPage]]:
        """Each page with an observation number, the next page asked for in the meantime.

        Unless one `number` is given for all, a page's is taken before the page is asked for: so
        nobody who saw a later state of one of its blobs has a lower one.
        """

        def numbered() -> Generator[tuple[int, ListedPage]]:
            pages = blobs.pages(marker)
            while True:
                observation = self._artifacts.next_observation() if number is None else number
                page = next(pages, None)
                if page is None:
                    return
                yield observation, page

        return read_ahead(numbered(), 1)
