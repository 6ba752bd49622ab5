"""A trail of four days, three of them sealed: made once for all tests of a file, or for one."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from urllib.parse import urlsplit

import psycopg
import pytest
from psycopg.rows import DictRow, dict_row

from devhost.stack.azurite import Azurite
from shared.database.pool import Database
from shared.models.audit_entities import Entity, key_of
from tests.databases import own_database
from tests.integration.clock import TickingClock
from tests.integration.proving import Proving, proving

Sql = psycopg.Connection[DictRow]


@dataclass(frozen=True)
class SealedOnce:
    """What was made, and a database that nobody connects to, so that it can be cloned."""

    made: Proving
    template: str
    entities: dict[tuple[str, str], Entity]
    blobs: dict[str, bytes]

    def put_back(self) -> None:
        """Whatever a test did to the table, and to the seals outside the database."""
        found = entities_in(self.made)
        for key, entity in found.items():
            if key not in self.entities:
                self.made.remove(entity)
        for key, entity in self.entities.items():
            if found.get(key) != entity:
                self.made.put(entity)
        for path in blobs_in(self.made).keys() - self.blobs.keys():
            self.made.container.delete_blob(path)
        for path, text in self.blobs.items():
            self.made.container.upload_blob(path, text, overwrite=True)


def entities_in(proof: Proving) -> dict[tuple[str, str], Entity]:
    return {(key_of(each).partition, key_of(each).row): each for each in proof.trail.entities}


def blobs_in(proof: Proving) -> dict[str, bytes]:
    names = list(proof.container.list_blob_names())
    return {name: proof.container.download_blob(name).readall() for name in names}


def seal_some(proof: Proving) -> None:
    """Four days of ten events in two months, three of them sealed."""
    proof.live(days=4, events=10)
    proof.seals.seal_days(60)


@pytest.fixture
def proof(
    azurite: Azurite, unique_name: str, database: Database, sql: Sql, clock: TickingClock
) -> Iterator[Proving]:
    """Without any event yet."""
    with proving(azurite.connection_string, unique_name, database, sql, clock) as proof:
        yield proof


@pytest.fixture
def own_sealed(proof: Proving) -> Proving:
    """Of the test's own, so that it may write more, and drop months."""
    seal_some(proof)
    return proof


@pytest.fixture(scope="module")
def sealed_once(postgres: str, template_database: str, azurite: Azurite) -> Iterator[SealedOnce]:
    with own_database(postgres, template_database) as url:
        name = urlsplit(url).path.removeprefix("/")
        database, sql = opened(url)
        own = name.replace("_", "-")
        with proving(azurite.connection_string, own, database, sql, TickingClock()) as made:
            seal_some(made)
            closed(database, sql)
            yield SealedOnce(made, name, entities_in(made), blobs_in(made))


@pytest.fixture
def sealed(postgres: str, sealed_once: SealedOnce) -> Iterator[Proving]:
    """For tests that change what is there, which is put back; the database is their own."""
    with own_database(postgres, sealed_once.template) as url:
        database, sql = opened(url)
        yield replace(sealed_once.made, database=database, sql=sql)
        closed(database, sql)
    sealed_once.put_back()


def opened(url: str) -> tuple[Database, Sql]:
    connect = psycopg.Connection[DictRow].connect
    database = Database(url, size=3, timeout_seconds=10)
    return database, connect(url, autocommit=True, row_factory=dict_row)


def closed(database: Database, sql: Sql) -> None:
    sql.close()
    database.close()
