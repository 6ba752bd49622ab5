"""Several storage accounts: each is listed, each blob is asked for in its own account."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import psycopg
import pytest
from psycopg.rows import DictRow

from devhost.stack.azurite import ACCOUNT, ACCOUNT_KEY, Azurite
from shared.database.pool import Database
from shared.errors import StorageAccountNotAllowed
from shared.models.blobs import BlobReference
from shared.services.artifact_service import ArtifactService
from shared.services.retirement import RetirementService
from shared.storage.accounts import BlobAccounts
from shared.storage.blobs import BlobStore
from tests.integration.clock import TickingClock
from tests.integration.messages import ORIGIN, QUEUE, event, over, set_aside, stored
from tests.integration.uploads import Uploads, uploading_to

OTHER = "otheraccount"


@pytest.fixture(scope="module")
def two_accounts(session_directory: Path) -> Iterator[tuple[str, str]]:
    """Connection strings of two accounts on one emulator."""
    emulator = Azurite(session_directory / "two-accounts")
    emulator.start({"AZURITE_ACCOUNTS": f"{ACCOUNT}:{ACCOUNT_KEY};{OTHER}:{ACCOUNT_KEY}"})
    yield emulator.connection_string, emulator.connection_string.replace(ACCOUNT, OTHER)
    emulator.stop()


@pytest.fixture
def both(two_accounts: tuple[str, str], unique_name: str) -> Iterator[tuple[Uploads, Uploads]]:
    """The same container and path in both accounts, with other bytes in each."""
    with (
        uploading_to(two_accounts[0], unique_name) as one,
        uploading_to(two_accounts[1], unique_name) as other,
    ):
        yield one, other


@pytest.fixture
def accounts(two_accounts: tuple[str, str]) -> BlobAccounts:
    return BlobAccounts(BlobStore(connection) for connection in two_accounts)


def read_all(accounts: BlobAccounts, reference: BlobReference) -> bytes:
    return b"".join(accounts.read(accounts.properties(reference)))


def test_each_blob_is_read_from_its_own_account(
    accounts: BlobAccounts, both: tuple[Uploads, Uploads]
) -> None:
    blobs = [
        uploads.put("same/path", content)
        for uploads, content in zip(both, (b"one", b"other"), strict=True)
    ]
    assert [blob.account for blob in blobs] == [ACCOUNT, OTHER] == list(accounts.accounts)
    assert [read_all(accounts, blob) for blob in blobs] == [b"one", b"other"]


def test_what_is_changed_in_one_account_stays_in_the_other(
    accounts: BlobAccounts, both: tuple[Uploads, Uploads]
) -> None:
    kept, removed = (uploads.put("same/path", b"x") for uploads in both)
    both[1].container.get_blob_client("same/path").set_blob_tags({"where": "other"})

    accounts.set_tier(accounts.properties(removed), "Cool")
    found = [accounts.properties(blob) for blob in (kept, removed)]
    assert [properties.tier for properties in found] == ["Hot", "Cool"]
    assert [properties.tag_count for properties in found] == [0, 1]
    assert [dict(accounts.tags(properties)) for properties in found] == [{}, {"where": "other"}]

    accounts.remove(found[1])
    assert list(both[1].container.list_blob_names()) == []
    assert list(both[0].container.list_blob_names()) == ["same/path"]


def test_an_account_that_is_not_listed_is_never_asked(accounts: BlobAccounts) -> None:
    assert accounts.serves(OTHER)
    assert not accounts.serves("elsewhere")
    with pytest.raises(StorageAccountNotAllowed, match="'elsewhere'"):
        accounts.properties(BlobReference("elsewhere", "container", "a"))


def test_uploads_to_every_listed_account_are_registered_and_purged_there(
    accounts: BlobAccounts,
    both: tuple[Uploads, Uploads],
    database: Database,
    artifacts: ArtifactService,
    clock: TickingClock,
    sql: psycopg.Connection[DictRow],
) -> None:
    ingestion = over(accounts, database, artifacts, clock)
    blobs = [uploads.put("same/path", b"same bytes") for uploads in both]
    for blob in (*blobs, replace(blobs[0], account="elsewhere")):
        ingestion.take_blob_events(QUEUE, event(blob), ORIGIN)
    assert sorted(row["storage_account"] for row in stored(sql)) == [ACCOUNT, OTHER]
    assert len({row["asset_id"] for row in stored(sql)}) == 2
    assert [kept["reason"] for kept in set_aside(sql)] == ["storage_account_not_allowed"]

    (of_other,) = [row["artifact_id"] for row in stored(sql) if row["storage_account"] == OTHER]
    artifacts.mark_deleted(of_other)
    RetirementService(database, accounts, clock).purge(of_other, ORIGIN)
    assert [list(uploads.container.list_blob_names()) for uploads in both] == [["same/path"], []]


@pytest.mark.parametrize(
    "connections",
    [
        ["UseDevelopmentStorage=true", "UseDevelopmentStorage=true"],
        ["BlobEndpoint=http://storage.example/;SharedAccessSignature=sv=2021-08-06&sig=x"],
    ],
    ids=["one account twice", "an account without a name"],
)
def test_accounts_that_cannot_be_told_apart_are_refused(connections: list[str]) -> None:
    with pytest.raises(ValueError, match="listed once"):
        BlobAccounts(BlobStore(connection) for connection in connections)


def test_tags_are_asked_for_only_where_there_are_some(
    own_azurite: Azurite, unique_name: str
) -> None:
    store = BlobStore(own_azurite.connection_string)
    with uploading_to(own_azurite.connection_string, unique_name) as uploads:
        untagged = store.properties(uploads.put("a", b"x"))
    own_azurite.stop()
    assert store.tags(untagged) == {}
