"""Folders that were deleted or renamed as a whole, a page of blobs at a time.

Whatever has to be looked at becomes a message of its own, as does the next page: nothing runs for
long, and where a worker is killed between two pages, the first one comes again.
"""

from collections.abc import Iterator

from shared.models.blob_notices import BlobDeleted, BlobRenamed, FolderDeleted, FolderRenamed
from shared.models.blobs import BlobReference
from shared.models.listed_blobs import BlobScope
from shared.repositories.locations import RegisteredPath
from shared.services.artifact_service import ArtifactService
from shared.storage.accounts import Blobs

PAGE = 200
"""Blobs that one message is about, each of which becomes a message."""


class Folders:
    """Folders of a Data Lake: a deleted or renamed one comes as one event for all that it holds."""

    def __init__(self, artifacts: ArtifactService, store: Blobs) -> None:
        self._artifacts = artifacts
        self._store = store

    def in_deleted(self, folder: FolderDeleted) -> list[str]:
        """Messages about what was registered in a folder that may be there no more."""
        after = RegisteredPath(folder.after_path, folder.after_id)
        paths = self._artifacts.paths_under(folder.blob, after, PAGE)
        names = dict.fromkeys(registered.path for registered in paths)
        messages = [BlobDeleted.of(_in(folder.blob, name)).message() for name in names]
        if len(paths) == PAGE:
            last = {"after_path": paths[-1].path, "after_id": paths[-1].artifact_id}
            messages.append(folder.model_copy(update=last).message())
        return messages

    def in_renamed(self, folder: FolderRenamed) -> list[str]:
        """Messages about what is in a renamed folder now, and what was in it by its old name."""
        messages = list(self._arrived(folder))
        if folder.marker is None:
            messages.append(FolderDeleted.of(folder.source).message())
        return messages

    def _arrived(self, folder: FolderRenamed) -> Iterator[str]:
        prefix = f"{folder.path}/"
        scope = BlobScope(folder.account, folder.container, prefix)
        # An account that has folders has no index tags.
        pages = self._store.listing(scope, with_tags=False, page_blobs=PAGE).pages(folder.marker)
        page = next(pages, None)
        if page is None:
            return
        for listed in page.blobs:
            source = f"{folder.source_path}/{listed.path.removeprefix(prefix)}"
            yield BlobRenamed.from_to(
                _in(folder.source, source), _in(folder.blob, listed.path)
            ).message()
        if page.marker:
            yield folder.model_copy(update={"marker": page.marker}).message()


def _in(folder: BlobReference, path: str) -> BlobReference:
    return BlobReference(folder.account, folder.container, path)
