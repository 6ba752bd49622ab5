import gc
import logging
import threading
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from azure.core.exceptions import HttpResponseError
from azure.storage.blob import (
    AccountSasPermissions,
    BlobClient,
    ResourceTypes,
    StandardBlobTier,
    generate_account_sas,
)

from devhost.stack.azurite import Azurite
from shared.errors import (
    BlobNotFound,
    BlobUnreadable,
    StorageAccountNotAllowed,
    StorageUnavailable,
)
from shared.models.blobs import BlobReference
from shared.storage.blobs import BlobStore
from shared.storage.logs import quiet_request_logs
from tests.integration.uploads import Uploads, uploading_to

AWKWARD_NAMES = [
    "with space",
    "hash#fragment",
    "query?a=b&c=d",
    "a/b",
    "a%2Fb",
    "a%252Fb",
    "100%",
    "plus+plus",
    "two..dots",
    "..a/b..",
    "trailing.",
    "folder./file",
    "folder/",
    "//leading",
    "quote'\"<>&;",
    "tab\there",
    "bell\a",
    "grün/日本/\N{ROCKET}.tif",
    "e\N{COMBINING ACUTE ACCENT}",
    "\N{LATIN SMALL LETTER E WITH ACUTE}",
    "\N{RIGHT-TO-LEFT OVERRIDE}fit.exe",
    "x" * 1024,
    "\N{ROCKET}" * 512,
]


@pytest.fixture
def store(azurite: Azurite) -> BlobStore:
    return BlobStore(azurite.connection_string)


def read_all(store: BlobStore, reference: BlobReference) -> bytes:
    return b"".join(store.read(store.properties(reference)))


def test_properties_say_what_the_uploader_and_the_store_know(
    store: BlobStore, uploads: Uploads
) -> None:
    before = datetime.now(UTC) - timedelta(seconds=2)
    metadata = {"dataset": "dem", "step": "7"}
    reference = uploads.put("a/b c.tif", b"abc", metadata=metadata, content_type="image/tiff")

    found = store.properties(reference)

    stored = uploads.container.get_blob_client("a/b c.tif").get_blob_properties()
    assert (found.reference, found.size_bytes, found.tier) == (reference, 3, "Hot")
    assert (found.content_type, found.metadata, found.version_id) == ("image/tiff", metadata, None)
    assert f'"{found.etag}"' == stored.etag
    assert found.uri == uploads.container.get_blob_client("a/b c.tif").url
    assert before <= found.last_modified <= datetime.now(UTC) + timedelta(seconds=2)


def test_awkward_names_reach_their_own_blob_and_no_other(
    store: BlobStore, uploads: Uploads
) -> None:
    for name in AWKWARD_NAMES:
        uploads.put(name, name.encode())

    read = {name: read_all(store, uploads.reference(name)) for name in AWKWARD_NAMES}

    assert read == {name: name.encode() for name in AWKWARD_NAMES}


@pytest.mark.parametrize("name", ["with space", "a%2Fb", "hash#?", "folder./", "//a", "日本"])
def test_the_store_keeps_a_name_as_we_wrote_it(
    store: BlobStore, uploads: Uploads, name: str
) -> None:
    store.properties(uploads.put(name, b"abc"))
    assert list(uploads.container.list_blob_names()) == [name]


def test_a_missing_blob_is_told_from_a_missing_container(
    store: BlobStore, uploads: Uploads, unique_name: str
) -> None:
    with pytest.raises(BlobNotFound, match="no blob 'missing' in container"):
        store.properties(uploads.reference("missing"))
    with pytest.raises(BlobNotFound, match=f"no container 'no-{unique_name}'"):
        store.properties(BlobReference(store.account, f"no-{unique_name}", "a"))


def test_another_account_is_not_asked_for(store: BlobStore, uploads: Uploads) -> None:
    properties = store.properties(uploads.put("a", b"abc"))
    elsewhere = BlobReference("elsewhere", properties.reference.container, "a")
    with pytest.raises(StorageAccountNotAllowed, match="elsewhere"):
        store.properties(elsewhere)


def test_an_archived_blob_is_described_but_not_read(store: BlobStore, uploads: Uploads) -> None:
    reference = uploads.put("cold", b"abc")
    uploads.container.get_blob_client("cold").set_standard_blob_tier(StandardBlobTier.ARCHIVE)

    properties = store.properties(reference)

    assert properties.tier == "Archive"
    with pytest.raises(BlobUnreadable, match="archived"):
        list(store.read(properties))


def test_bytes_are_read_as_stored_whatever_their_content_encoding(
    store: BlobStore, uploads: Uploads
) -> None:
    not_even_gzip = b"\x1f\x8b" + b"abc"
    reference = uploads.put("a.gz", not_even_gzip, content_encoding="gzip")
    assert read_all(store, reference) == not_even_gzip


def test_a_shared_access_signature_opens_the_blob_and_stays_out_of_its_uri(
    azurite: Azurite, uploads: Uploads
) -> None:
    signature = generate_account_sas(
        azurite.account,
        azurite.account_key,
        ResourceTypes(service=True, object=True),
        AccountSasPermissions(read=True),
        datetime.now(UTC) + timedelta(hours=1),
    )
    endpoint = f"BlobEndpoint=http://127.0.0.1:{azurite.ports[0]}/{azurite.account}"
    store = BlobStore(f"{endpoint};SharedAccessSignature={signature}")
    reference = uploads.put("a?b", b"abc")

    assert store.properties(reference).uri.endswith("/a%3Fb")
    assert read_all(store, reference) == b"abc"


def test_wrong_credentials_are_a_fault_that_passes_once_they_are_right(
    azurite: Azurite, uploads: Uploads
) -> None:
    other_key = azurite.connection_string.replace(azurite.account_key, "AAAA" * 22)
    with pytest.raises(StorageUnavailable, match="credentials"):
        BlobStore(other_key).properties(uploads.put("a", b"abc"))


def test_one_store_serves_many_threads(store: BlobStore, uploads: Uploads) -> None:
    references = [uploads.put(f"blob-{n}", bytes([n]) * 300_000) for n in range(8)]
    read: dict[int, bytes] = {}

    def read_one(number: int) -> None:
        read[number] = read_all(store, references[number])

    threads = [threading.Thread(target=read_one, args=(n,)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert read == {n: bytes([n]) * 300_000 for n in range(8)}


def test_no_client_is_kept_per_blob(store: BlobStore, uploads: Uploads) -> None:
    references = [uploads.put(f"blob-{n}", b"abc") for n in range(50)]
    for reference in references:
        read_all(store, reference)
    gc.collect()
    kept = [it for it in gc.get_objects() if isinstance(it, BlobClient)]
    assert len(kept) < len(references)


def test_a_reader_that_stops_early_leaves_no_thread_behind(
    store: BlobStore, uploads: Uploads
) -> None:
    reference = uploads.put("long", bytes(20_000_000))
    chunks = store.read(store.properties(reference))
    next(chunks)
    assert _reading_threads()
    chunks.close()
    assert not _reading_threads()


def test_a_store_that_is_down_is_unavailable_until_it_is_back(
    own_azurite: Azurite, unique_name: str
) -> None:
    store = BlobStore(own_azurite.connection_string)
    with uploading_to(own_azurite.connection_string, unique_name) as uploads:
        reference = uploads.put("a", b"abc")
    store.check()

    own_azurite.stop()
    with pytest.raises(StorageUnavailable):
        store.check()
    with pytest.raises(StorageUnavailable):
        store.properties(reference)

    own_azurite.start()
    store.check()
    assert read_all(store, reference) == b"abc"


def test_the_current_version_goes_by_deleting_the_blob_and_then_the_version(
    store: BlobStore, uploads: Uploads, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Azurite keeps no versions: what Azure answers to a version's id is said by this test."""
    real, asked = BlobClient.delete_blob, list[str | None]()

    def delete(client: BlobClient, version_id: str | None = None, **conditions: Any) -> None:
        asked.append(version_id)
        if asked == ["now"]:
            fault: Any = HttpResponseError("not permitted")
            fault.status_code, fault.error_code = 403, "OperationNotAllowedOnRootBlob"
            raise fault
        real(client, **conditions)

    found = store.properties(uploads.put("a", b"one"))
    with monkeypatch.context() as patch:
        patch.setattr(BlobClient, "delete_blob", delete)
        store.remove(replace(found, version_id="now"))
    assert asked == ["now", None, "now"]
    with pytest.raises(BlobNotFound):
        store.properties(found.reference)


def test_the_log_holds_no_line_per_request(
    store: BlobStore, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    quiet_request_logs()
    store.check()
    assert not caplog.records


def _reading_threads() -> list[str]:
    names = [thread.name for thread in threading.enumerate()]
    return [name for name in names if name.startswith("read-ahead")]
