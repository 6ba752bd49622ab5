"""A blob's tier changes in the state that was seen, and in no other."""

from dataclasses import replace

import pytest
from azure.storage.blob import BlobClient, BlobLeaseClient

from devhost.stack.azurite import Azurite
from shared.errors import BlobChanged, BlobNotFound, BlobUnreadable, StorageUnavailable
from shared.models.blobs import BlobProperties
from shared.models.tiers import ColderTier, RehydratePriority, WarmerTier
from shared.storage.blobs import BlobStore
from shared.storage.leases import leased
from tests.integration.test_redirects import ACCOUNT, answering
from tests.integration.uploads import Uploads


@pytest.fixture
def store(azurite: Azurite) -> BlobStore:
    return BlobStore(azurite.connection_string)


@pytest.fixture
def seen(store: BlobStore, uploads: Uploads) -> BlobProperties:
    return store.properties(uploads.put("a", b"one"))


@pytest.fixture
def client(seen: BlobProperties, uploads: Uploads) -> BlobClient:
    return uploads.container.get_blob_client(seen.reference.path)


def lease_state(client: BlobClient) -> str:
    return str(client.get_blob_properties().lease.state)


def test_a_tier_is_changed_and_leaves_neither_a_lease_nor_another_etag(
    store: BlobStore, seen: BlobProperties, client: BlobClient
) -> None:
    store.set_tier(seen, ColderTier.COOL)
    now = store.properties(seen.reference)
    assert (now.tier, now.etag, now.last_modified) == ("Cool", seen.etag, seen.last_modified)
    assert lease_state(client) == "available"


def test_a_blob_that_was_written_meanwhile_keeps_its_tier(
    store: BlobStore, seen: BlobProperties, uploads: Uploads, client: BlobClient
) -> None:
    uploads.put("a", b"two")
    with pytest.raises(BlobChanged):
        store.set_tier(seen, ColderTier.ARCHIVE)
    assert store.properties(seen.reference).tier == "Hot"
    assert lease_state(client) == "available"


def test_nobody_writes_a_blob_while_its_tier_changes(
    seen: BlobProperties, uploads: Uploads, client: BlobClient
) -> None:
    with leased(client, seen), pytest.raises(Exception, match="LeaseIdMissing"):
        uploads.put("a", b"two")
    uploads.put("a", b"two")


def test_a_blob_that_others_lease_keeps_its_tier(
    store: BlobStore, seen: BlobProperties, client: BlobClient
) -> None:
    lease = BlobLeaseClient(client)
    lease.acquire(15)
    with pytest.raises(BlobUnreadable, match="LeaseAlreadyPresent"):
        store.set_tier(seen, ColderTier.COOL)
    assert store.properties(seen.reference).tier == "Hot"
    lease.release()


def test_whoever_was_killed_holding_the_lease_goes_on_at_once(
    store: BlobStore, seen: BlobProperties, client: BlobClient
) -> None:
    killed = leased(client, seen)
    killed.__enter__()
    assert lease_state(client) == "leased"
    store.set_tier(seen, ColderTier.COOL)
    assert store.properties(seen.reference).tier == "Cool"
    assert lease_state(client) == "available"


def test_where_the_tier_cannot_be_changed_the_lease_is_released(
    store: BlobStore, uploads: Uploads
) -> None:
    client = uploads.container.get_blob_client("pages")
    client.create_page_blob(512)
    with pytest.raises(BlobUnreadable):
        store.set_tier(store.properties(uploads.reference("pages")), ColderTier.COOL)
    assert lease_state(client) == "available"


def test_a_blob_that_is_gone_is_in_another_state(
    store: BlobStore, seen: BlobProperties, client: BlobClient
) -> None:
    client.delete_blob()
    with pytest.raises(BlobChanged):
        store.set_tier(seen, ColderTier.COOL)


def test_archived_bytes_come_back(store: BlobStore, seen: BlobProperties) -> None:
    """At once, as the emulator does it."""
    store.set_tier(seen, ColderTier.ARCHIVE)
    store.set_tier(store.properties(seen.reference), WarmerTier.HOT, RehydratePriority.HIGH)
    back = store.properties(seen.reference)
    assert (back.tier, back.archive_status) == ("Hot", None)
    assert b"".join(store.read(back)) == b"one"


def test_where_the_bytes_lie_there_already_nothing_is_asked(
    seen: BlobProperties,
) -> None:
    account = seen.reference.account
    nobody_there = BlobStore(
        f"AccountName={account};AccountKey=a2V5;DefaultEndpointsProtocol=http;"
        f"BlobEndpoint=http://127.0.0.1:1/{account};"
    )
    nobody_there.set_tier(seen, "Hot")
    with pytest.raises(StorageUnavailable):
        nobody_there.set_tier(seen, "Cool")


def test_a_version_is_named_to_the_store_and_needs_no_lease(seen: BlobProperties) -> None:
    """Azurite keeps no versions: what is asked of it is all that can be seen."""
    with answering(404) as storage:
        blob = replace(seen.reference, account=ACCOUNT)
        version = replace(seen, reference=blob, version_id="v 1", is_version=True)
        store = BlobStore(storage.connection_string)
        for ask in (
            lambda: store.set_tier(version, "Cool"),
            lambda: list(store.read(version)),
            lambda: list(store.read(replace(version, size_bytes=0))),
        ):
            with pytest.raises(BlobNotFound):
                ask()
    path = f"/{ACCOUNT}/{blob.container}/a"
    assert storage.asked[0].startswith(f"PUT {path}?comp=tier")
    assert [request.partition("?")[0] for request in storage.asked] == [
        f"{method} {path}" for method in ("PUT", "GET", "HEAD")
    ]
    assert all("versionid=v%201" in request for request in storage.asked), storage.asked
