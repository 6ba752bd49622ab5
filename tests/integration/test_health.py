"""Readiness: every dependency asked at once, none of them waited for without end."""

import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from azure.storage.blob import (
    AccountSasPermissions,
    BlobServiceClient,
    ResourceTypes,
    generate_account_sas,
)
from azure.storage.queue import QueueClient

from devhost.stack.azurite import Azurite
from shared.database.pool import Database
from shared.errors import StorageUnavailable
from shared.services.health import HealthService
from shared.storage.blobs import BlobStore
from shared.storage.queues import StorageQueue


@pytest.fixture
def gate() -> Iterator[threading.Event]:
    """What a hanging check waits for; open at the end, so that no thread stays behind."""
    gate = threading.Event()
    yield gate
    gate.set()


def well() -> None:
    return


def fail() -> None:
    raise ValueError


def test_real_dependencies_are_well(database: Database, azurite: Azurite, unique_name: str) -> None:
    with QueueClient.from_connection_string(azurite.connection_string, unique_name) as client:
        client.create_queue()
    queue = StorageQueue(azurite.connection_string, unique_name)
    health = HealthService(
        {
            "database": lambda: database.check(2.0),
            "blobs": BlobStore(azurite.connection_string).check,
            "queues": queue.check,
        }
    )
    assert health.check() == {"database": True, "blobs": True, "queues": True}


def test_a_storage_account_that_stops_is_noticed_and_so_is_its_return(
    own_azurite: Azurite,
) -> None:
    health = HealthService({"blobs": BlobStore(own_azurite.connection_string).check})
    assert health.check() == {"blobs": True}
    own_azurite.stop()
    assert health.check() == {"blobs": False}
    own_azurite.start()
    assert health.check() == {"blobs": True}


def test_an_account_is_well_where_a_signature_lets_blobs_be_read_and_no_more(
    azurite: Azurite,
) -> None:
    with BlobServiceClient.from_connection_string(azurite.connection_string) as service:
        signature = generate_account_sas(
            service.account_name or "",
            service.credential.account_key,
            ResourceTypes(object=True),
            AccountSasPermissions(read=True),
            datetime.now(UTC) + timedelta(hours=1),
        )
        address = f"BlobEndpoint={service.url}"
    BlobStore(f"{address};SharedAccessSignature={signature}").check()
    with pytest.raises(StorageUnavailable):
        BlobStore(f"{address};SharedAccessSignature={signature[:-9]}AAAAAA%3D").check()


def test_a_database_that_nobody_serves_is_unavailable() -> None:
    database = Database("postgresql://nobody@127.0.0.1:1/none", size=1, timeout_seconds=1)
    health = HealthService({"database": lambda: database.check(0.2), "other": well})
    assert health.check() == {"database": False, "other": True}
    database.close()


def test_whatever_a_check_raises_means_unavailable() -> None:
    assert HealthService({"one": fail, "two": well}).check() == {"one": False, "two": True}


def test_a_check_that_hangs_is_given_up_and_the_others_count(gate: threading.Event) -> None:
    checks = {"hanging": lambda: _hang(gate), "well": well}
    assert HealthService(checks, timeout_seconds=0.1).check() == {"hanging": False, "well": True}


def test_checks_run_side_by_side() -> None:
    together = threading.Barrier(3, timeout=30)
    checks = {name: lambda: _meet(together) for name in ("one", "two", "three")}
    assert all(HealthService(checks, timeout_seconds=30).check().values())


def test_a_check_that_hangs_is_not_started_again_until_it_ends(gate: threading.Event) -> None:
    started: list[int] = []

    def hang() -> None:
        started.append(1)
        _hang(gate)

    health = HealthService({"hanging": hang}, timeout_seconds=0.05)
    assert [health.check()["hanging"] for _ in range(5)] == [False] * 5
    assert len(started) == 1
    gate.set()
    assert HealthService({"hanging": hang}, timeout_seconds=30).check() == {"hanging": True}


def _hang(gate: threading.Event) -> None:
    gate.wait(60)


def _meet(together: threading.Barrier) -> None:
    together.wait()
