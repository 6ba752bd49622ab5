"""Whatever happens, in whatever order: no bytes are lost that are needed, and none before time."""

import itertools
from collections.abc import Callable
from contextlib import ExitStack
from typing import Any

import psycopg
import pytest
from azure.core.exceptions import ResourceExistsError
from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test
from psycopg.rows import DictRow, dict_row

from devhost.stack.azurite import Azurite
from shared.database.pool import Database
from shared.models.blobs import BlobProperties
from shared.services.rehydration import RehydrationService
from shared.storage.blobs import BlobStore
from tests.databases import own_database
from tests.integration.clock import TickingClock
from tests.integration.policing import policing_over
from tests.integration.policy_facts import Store
from tests.integration.policy_machine import Enforcing
from tests.integration.uploads import Uploads
from tests.integration.watched_store import VersionedStore, WatchedStore

Watch = Callable[[str, BlobProperties], None]
STEPS = 50


def enforcing(
    azurite: Azurite, uploads: Uploads, server: str, template: str, *, versions: bool
) -> type[Enforcing]:
    """The machine over databases of its own, and over one container, or blobs with versions."""
    numbers = itertools.count()

    def open_store(stack: ExitStack, watch: Watch) -> Store:
        url = stack.enter_context(own_database(server, template))
        database = Database(url, size=2, timeout_seconds=10)
        stack.callback(database.close)
        sql = stack.enter_context(
            psycopg.Connection[DictRow].connect(url, autocommit=True, row_factory=dict_row)
        )
        clock = TickingClock()
        real = BlobStore(azurite.connection_string)
        inner = VersionedStore(real.account, clock) if versions else real
        store: Any = WatchedStore(inner, watch)  # a store but by name
        queue = f"{uploads.container.container_name}-{next(numbers)}"
        policing = stack.enter_context(
            policing_over(store, azurite.connection_string, queue, database, clock, uploads, sql)
        )

        def write(path: str, content: bytes) -> BlobProperties | None:
            if isinstance(inner, VersionedStore):
                return inner.write(uploads.reference(path), content)
            try:
                return inner.properties(uploads.put(path, content))
            except ResourceExistsError:  # what is in the tier Archive cannot be overwritten
                return None

        rehydration = RehydrationService(database, store, clock)
        return Store(policing, rehydration, write, store.properties, store.die_after_next)

    return type("Bound", (Enforcing,), {"open_store": staticmethod(open_store)})


def run(machine: type[Enforcing], steps: int) -> None:
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=steps // STEPS,
            stateful_step_count=STEPS,
            deadline=None,
            suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
        ),
    )


@pytest.mark.parametrize("versions", [False, True])
@pytest.mark.parametrize("steps", [100, pytest.param(200, marks=pytest.mark.long)])
def test_no_bytes_are_lost_and_nothing_is_done_before_its_time(
    azurite: Azurite,
    uploads: Uploads,
    postgres: str,
    template_database: str,
    versions: bool,
    steps: int,
) -> None:
    run(enforcing(azurite, uploads, postgres, template_database, versions=versions), steps=steps)


@pytest.mark.long
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("versions", [False, True])
def test_ten_thousand_steps_lose_nothing(
    azurite: Azurite, uploads: Uploads, postgres: str, template_database: str, versions: bool
) -> None:
    run(enforcing(azurite, uploads, postgres, template_database, versions=versions), steps=10_000)
