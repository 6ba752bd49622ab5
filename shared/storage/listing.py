"""Listing the blobs of a container, page by page."""

from collections.abc import Generator
from typing import cast

from azure.storage.blob import BlobProperties, ContainerClient

from shared.models.listed_blobs import ListedBlob, ListedPage
from shared.storage.faults import container_faults

PAGE_BLOBS = 5000
"""What the service gives at most at a time."""

_FOLDER = "hdi_isfolder"


class ContainerListing:
    """What the store holds below a prefix now. Folders of a Data Lake are no blobs."""

    identity = "listing"
    is_hearsay = False

    def __init__(
        self,
        container: ContainerClient,
        prefix: str = "",
        *,
        with_tags: bool = True,
        page_blobs: int = PAGE_BLOBS,
    ) -> None:
        """Index tags need a permission of their own, and accounts with folders have none."""
        self._container = container
        self._prefix = prefix
        self._include = ["metadata", "tags"] if with_tags else ["metadata"]
        self._page_blobs = page_blobs

    def pages(self, marker: str | None) -> Generator[ListedPage]:
        """Raises BlobNotFound where there is no such container, StorageUnavailable."""
        listed = self._container.list_blobs(
            name_starts_with=self._prefix or None,
            include=self._include,
            results_per_page=self._page_blobs,
        ).by_page(marker)
        while True:
            with container_faults(self._container.container_name):
                page = next(listed, None)
                if page is None:
                    return
                blobs = [_listed(blob) for blob in page if not _is_folder(blob)]
            # The SDK's pages know where they go on, and their type does not say so.
            marker = cast("str | None", getattr(listed, "continuation_token", None))
            yield ListedPage(blobs, marker or None)


def _is_folder(blob: BlobProperties) -> bool:
    return (blob.metadata or {}).get(_FOLDER) == "true"


def _listed(blob: BlobProperties) -> ListedBlob:
    return ListedBlob(
        path=str(blob.name),
        etag=str(blob.etag).strip('"'),
        size_bytes=int(blob.size),
        content_type=blob.content_settings.content_type,
        version_id=blob.version_id,
        tier=blob.blob_tier,
        metadata=blob.metadata or {},
        tags=blob.tags or {},
    )
