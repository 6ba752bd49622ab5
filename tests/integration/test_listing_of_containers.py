"""What the store says of a container is read page by page, and only when it is asked for."""

import pytest

from devhost.stack.azurite import Azurite
from shared.errors import BlobNotFound, InvalidInput, StorageAccountNotAllowed, StorageUnavailable
from shared.models.listed_blobs import BlobScope
from shared.storage.blobs import BlobStore
from shared.storage.listing import ContainerListing
from tests.integration.uploads import Uploads


@pytest.fixture
def store(azurite: Azurite) -> BlobStore:
    return BlobStore(azurite.connection_string)


def scope(store: BlobStore, uploads: Uploads, prefix: str = "") -> BlobScope:
    return BlobScope(store.account, uploads.container.container_name, prefix)


def test_a_listed_blob_is_as_the_store_describes_it(store: BlobStore, uploads: Uploads) -> None:
    blob = uploads.put("a b/ü.tif", b"abc", metadata={"k": "v"}, content_type="image/tiff")
    uploads.container.get_blob_client(blob.path).set_blob_tags({"t": "w"})
    [page] = store.listing(scope(store, uploads)).pages(None)
    [listed] = page.blobs
    found = store.properties(blob)
    assert (listed.path, listed.etag, listed.size_bytes) == (blob.path, found.etag, 3)
    assert (listed.content_type, listed.tier) == (found.content_type, found.tier)
    assert (dict(listed.metadata), dict(listed.tags)) == ({"k": "v"}, {"t": "w"})
    [without] = store.listing(scope(store, uploads), with_tags=False).pages(None)
    assert not without.blobs[0].tags


def test_pages_go_on_where_one_ended(uploads: Uploads) -> None:
    for number in range(5):
        uploads.put(str(number), b"")
    listing = ContainerListing(uploads.container, page_blobs=2)
    pages = list(listing.pages(None))
    assert [[blob.path for blob in page.blobs] for page in pages] == [
        ["0", "1"],
        ["2", "3"],
        ["4"],
    ]
    assert pages[-1].marker is None
    assert list(listing.pages(pages[0].marker)) == pages[1:]


def test_a_page_is_read_when_it_is_asked_for(uploads: Uploads) -> None:
    for name in ("0", "2"):
        uploads.put(name, b"")
    pages = ContainerListing(uploads.container, page_blobs=1).pages(None)
    assert [blob.path for blob in next(pages).blobs] == ["0"]
    uploads.put("1", b"")
    assert [blob.path for page in pages for blob in page.blobs] == ["1", "2"]


def test_folders_of_a_data_lake_are_no_blobs(uploads: Uploads) -> None:
    uploads.put("folder", b"", metadata={"hdi_isfolder": "true"})
    uploads.put("folder/a", b"")
    [page] = ContainerListing(uploads.container).pages(None)
    assert [blob.path for blob in page.blobs] == ["folder/a"]


def test_an_empty_container_is_an_empty_list(uploads: Uploads) -> None:
    assert [list(page.blobs) for page in ContainerListing(uploads.container).pages(None)] == [[]]


def test_a_missing_container_or_account_is_said(store: BlobStore, unique_name: str) -> None:
    with pytest.raises(BlobNotFound, match="no container"):
        next(store.listing(BlobScope(store.account, unique_name)).pages(None))
    with pytest.raises(StorageAccountNotAllowed):
        store.listing(BlobScope("other", unique_name))
    with pytest.raises(InvalidInput):
        BlobScope(store.account, "../x")


def test_a_store_that_is_away_is_said(own_azurite: Azurite, unique_name: str) -> None:
    store = BlobStore(own_azurite.connection_string)
    pages = store.listing(BlobScope(store.account, unique_name)).pages(None)
    own_azurite.stop()
    with pytest.raises(StorageUnavailable):
        next(pages)
