"""Blobs, queues and tables that an identity opens: real tokens of azure-identity, over https."""

import logging
import ssl
import threading
from datetime import date
from pathlib import Path

import pytest
from azure.core.credentials import AccessToken, TokenCredential

from devhost.stack.azurite import ACCOUNT
from shared.errors import BlobChanged, BlobNotFound, StorageUnavailable
from shared.identity import Identity, NoToken
from shared.models.blobs import BlobReference
from shared.models.listed_blobs import BlobScope
from shared.storage.account import (
    Account,
    IdentityAccount,
    blob_service,
    queue_client,
    table_service,
)
from shared.storage.accounts import BlobAccounts
from shared.storage.audit_table import AuditTable
from shared.storage.blobs import CHUNK_BYTES, BlobStore
from shared.storage.faults import blob_faults
from shared.storage.kept_blobs import KeptBlobs
from shared.storage.logs import quiet_request_logs
from shared.storage.queues import StorageQueue
from shared.storage.ranges import RangeReader
from shared.storage_settings import AuditSettings, StorageSettings
from tests.integration.identifying import (
    CLIENT_ID,
    STORAGE,
    TokenAzurite,
    TokenGiver,
    account,
    certify,
    emulator,
    giver,
    token,
    uploads,
)
from tests.integration.test_redirects import Host
from tests.integration.uploads import Uploads

__all__ = ["account", "emulator", "giver", "uploads"]  # fixtures that are asked for by their names

LARGE = bytes(range(256)) * (CHUNK_BYTES // 64)


def test_blobs_are_listed_read_changed_and_removed(
    giver: TokenGiver,
    emulator: TokenAzurite,
    uploads: Uploads,
    unique_name: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name, uri in emulator.uris("REGISTRY_STORAGE").items():
        monkeypatch.setenv(name, uri)
    store = BlobAccounts(BlobStore(each) for each in StorageSettings().accounts(Identity()))
    store.check()
    assert store.accounts == (ACCOUNT,)
    blob = uploads.put("folder/a b", LARGE, metadata={"k": "v"})
    uploads.container.get_blob_client("folder/a b").set_blob_tags({"stage": "raw"})

    [page] = store.listing(BlobScope(ACCOUNT, unique_name, "folder/")).pages(None)
    assert [(found.path, found.tags) for found in page.blobs] == [("folder/a b", {"stage": "raw"})]
    found = store.properties(blob)
    assert dict(store.tags(found)) == {"stage": "raw"}
    assert b"".join(store.read(found)) == LARGE
    in_blocks = RangeReader(uploads._service, CHUNK_BYTES)  # pyright: ignore[reportPrivateUsage]
    assert b"".join(in_blocks.read(found)) == LARGE

    store.set_tier(found, "Cool")
    assert store.properties(blob).tier == "Cool"
    uploads.put("folder/a b", b"other")
    with pytest.raises(BlobChanged):
        b"".join(store.read(found))
    store.remove(store.properties(blob))
    with pytest.raises(BlobNotFound):
        store.properties(blob)
    assert set(giver.asked) == {STORAGE}
    assert giver.clients == {CLIENT_ID}


def test_messages_and_the_trail_are_written_and_read(account: Account, unique_name: str) -> None:
    queue_client(account, unique_name).create_queue()
    queue = StorageQueue(account, unique_name)
    queue.check()
    queue.send("hello")
    assert queue.depth().messages == 1
    [message] = queue.receive(1, 30)
    queue.delete(message)
    assert queue.length() == 0

    trail = AuditTable(account, f"T{unique_name[5:25]}")
    trail.check()
    month = date(2026, 11, 1)
    entities = [{"PartitionKey": "p", "RowKey": f"{row}", "text": "x"} for row in range(3)]
    trail.insert(month, entities)
    trail.insert(month, entities)
    [page] = trail.pages(month, "PartitionKey eq @p", {"p": "p"})
    assert page == entities
    assert trail.months() == [month]
    assert trail.drop(month)

    kept = KeptBlobs(account, unique_name)
    assert (kept.keep("a", b"one"), kept.keep("a", b"other")) == (True, False)
    assert (kept.read("a"), list(kept.paths())) == (b"one", ["a"])


def test_the_trail_may_have_an_account_of_its_own(
    giver: TokenGiver, emulator: TokenAzurite, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, uri in emulator.uris("REGISTRY_AUDIT_STORAGE").items():
        monkeypatch.setenv(name, uri)
    account = AuditSettings().audit_account(Identity())
    assert isinstance(account, IdentityAccount)
    assert account.queues == ""
    AuditTable(account, "AuditTrail").check()


class _ForOthers(TokenCredential):
    """Gets tokens, but for something else."""

    def get_token(self, *_scopes: str, **_options: object) -> AccessToken:
        return AccessToken(token("https://vault.azure.net"), 2**33)


def test_without_a_token_or_with_a_wrong_one_storage_is_unavailable_until_it_is_right(
    giver: TokenGiver, account: Account, unique_name: str
) -> None:
    blob = BlobReference(ACCOUNT, "container", "path")
    giver.refuses = True
    store, queue = BlobStore(account), StorageQueue(account, unique_name)
    for ask in (store.check, queue.check, AuditTable(account, "AuditTrail").check):
        with pytest.raises(StorageUnavailable, match="identity gets no token"):
            ask()
    with pytest.raises(StorageUnavailable, match="identity gets no token"), blob_faults(blob):
        raise NoToken  # of a blob as well; the SDK would try for six seconds
    giver.refuses = False
    store.check()

    assert isinstance(account, IdentityAccount)
    wrong = IdentityAccount(Identity(_ForOthers()), account.blobs, account.queues, account.tables)
    with pytest.raises(StorageUnavailable, match="refuses our credentials"):
        BlobStore(wrong).properties(blob)
    with pytest.raises(StorageUnavailable, match="refuses our credentials"):
        StorageQueue(wrong, unique_name).check()


def test_no_token_is_ever_shown(
    giver: TokenGiver, account: Account, caplog: pytest.LogCaptureFixture
) -> None:
    assert isinstance(account, IdentityAccount)
    quiet_request_logs()
    with caplog.at_level(logging.INFO):
        BlobStore(account).check()
        giver.refuses = True
        with pytest.raises(StorageUnavailable) as refused:
            BlobStore(IdentityAccount(Identity(), account.blobs)).check()
    told = f"{account!r} {caplog.text} {refused.value!r} {refused.value.__cause__!r}"
    assert giver.given
    assert not [each for each in giver.given if each in told or each.split(".")[2] in told]
    assert giver.environment["IDENTITY_HEADER"] not in told
    assert "acquired a token" not in caplog.text


def test_no_token_goes_over_http(giver: TokenGiver, account: Account) -> None:
    assert isinstance(account, IdentityAccount)
    plain = account.blobs.replace("https://", "http://")
    for make in (
        lambda: blob_service(IdentityAccount(Identity(), plain)),
        lambda: queue_client(IdentityAccount(Identity(), "", plain), "queue"),
        lambda: table_service(IdentityAccount(Identity(), "", "", plain)),
    ):
        with pytest.raises(ValueError, match="HTTPS"):
            make()
    assert giver.asked == []


def test_no_token_follows_a_redirect(
    giver: TokenGiver, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    certificate, key = certify(tmp_path)
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(certificate))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    with Host(307, "/elsewhere") as host:
        host.socket = context.wrap_socket(host.socket, server_side=True)
        thread = threading.Thread(target=host.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        address = f"https://127.0.0.1:{host.server_address[1]}/{ACCOUNT}"
        away = IdentityAccount(Identity(), address, address, address)
        for ask in (
            BlobStore(away).check,
            StorageQueue(away, "queue").check,
            AuditTable(away, "AuditTrail").check,
        ):
            with pytest.raises(StorageUnavailable):
                ask()
        host.shutdown()
        thread.join()
    assert host.authorized == ["Bearer"] * 3
    assert not [asked for asked in host.asked if "elsewhere" in asked]
