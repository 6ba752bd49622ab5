"""Databases that an identity opens: its token is the password, of each connection anew."""

import asyncio
from collections.abc import Iterator
from urllib.parse import quote, urlsplit, urlunsplit

import psycopg
import pytest
from azure.core.credentials import AccessToken, TokenCredential
from psycopg import AsyncConnection, sql
from psycopg.rows import DictRow

from shared.database.login import Password
from shared.database.migrate import migrate
from shared.database.pool import Database
from shared.errors import DatabaseUnavailable, TableSourceUnavailable
from shared.identity import Identity
from shared.models.tables import TableSource
from shared.storage.table_sources import TableSources
from tests.integration.identifying import DATABASES, TokenGiver, giving_tokens
from tests.integration.source_tables import table


@pytest.fixture
def giver(monkeypatch: pytest.MonkeyPatch) -> Iterator[TokenGiver]:
    with giving_tokens() as giver:
        for name, value in giver.environment.items():
            monkeypatch.setenv(name, value)
        yield giver


class Role:
    """A role whose password is what somebody says, as Azure's is the token of the moment."""

    def __init__(self, owner: psycopg.Connection, url: str, name: str) -> None:
        self.owner, self.plain, self.name = owner, name, sql.Identifier(name)
        owner.execute(sql.SQL("CREATE ROLE {} LOGIN").format(self.name))
        parts = urlsplit(url)
        host = parts.netloc.rpartition("@")[2]
        self.url = urlunsplit(parts._replace(netloc=f"{quote(name)}@{host}"))
        """Without a password."""

    def admit(self, token: str) -> None:
        statement = sql.SQL("ALTER ROLE {} PASSWORD {}").format(self.name, sql.Literal(token))
        self.owner.execute(statement)


@pytest.fixture
def role(database_url: str, unique_name: str) -> Iterator[Role]:
    with psycopg.connect(database_url, autocommit=True) as owner:
        made = Role(owner, database_url, f"{unique_name}@example.com")
        yield made
        owner.execute(sql.SQL("DROP OWNED BY {}").format(made.name))
        owner.execute(sql.SQL("DROP ROLE {}").format(made.name))


class Fresh(TokenCredential):
    """Asks again each time, as azure-identity does where a token has expired."""

    def get_token(self, *scopes: str, **_options: object) -> AccessToken:
        from azure.identity import DefaultAzureCredential  # noqa: PLC0415 - as the app does

        return DefaultAzureCredential().get_token(*scopes)


def as_role(role: Role, identity: Identity) -> Password:
    """The identity's password, which the server knows by then."""

    def password() -> str:
        told = identity.password()
        role.admit(told)
        return told

    return password


async def ask_who(connection: AsyncConnection[DictRow]) -> str:
    cursor = await connection.execute("SELECT current_user AS role")
    (row,) = await cursor.fetchall()
    return row["role"]


def test_each_connection_is_opened_by_the_token_of_its_moment(
    role: Role, giver: TokenGiver, caplog: pytest.LogCaptureFixture
) -> None:
    password = as_role(role, Identity(Fresh()))
    database = Database(role.url, size=2, timeout_seconds=10, password=password)
    with database.connection() as first:
        with database.connection() as second:
            second.execute("SELECT 1")
        [found] = first.execute("SELECT current_user AS role").fetchall()
    assert found["role"] == asyncio.run(database.on_loop.ask(ask_who)) == role.plain
    database.close()
    assert giver.asked == [DATABASES] * 3
    assert len(set(giver.given)) == 3
    assert not [token for token in giver.given if token in f"{caplog.text}{database!r}"]


def test_a_token_of_yesterday_opens_nothing(role: Role, giver: TokenGiver) -> None:
    identity = Identity()
    role.admit(identity.password())
    database = Database(role.url, size=1, timeout_seconds=2, password=identity.password)
    database.check(10)
    role.admit("another")
    database.check(10)  # a connection that is open stays so
    database.close()
    again = Database(role.url, size=1, timeout_seconds=0.3, password=identity.password)
    with pytest.raises(DatabaseUnavailable):
        again.check(0.3)
    again.close()


def test_without_a_token_there_is_no_database_until_there_is_one(
    role: Role, giver: TokenGiver
) -> None:
    password = as_role(role, Identity())
    giver.refuses = True
    database = Database(role.url, size=1, timeout_seconds=0.3, password=password)
    with pytest.raises(DatabaseUnavailable):
        database.check(0.3)
    with pytest.raises(DatabaseUnavailable, match="identity gets no token"):
        asyncio.run(database.on_loop.ask(ask_who))
    with pytest.raises(DatabaseUnavailable, match="identity gets no token"):
        migrate(role.url, password)
    giver.refuses = False
    database.check(10)
    database.close()


def test_who_deploys_migrates_by_a_token_in_the_owners_role(role: Role, giver: TokenGiver) -> None:
    owner = role.owner.info.user
    role.owner.execute(sql.SQL("ALTER ROLE {} NOINHERIT").format(role.name))
    role.owner.execute(sql.SQL("GRANT {} TO {}").format(sql.Identifier(owner), role.name))
    password = as_role(role, Identity())
    assert migrate(f"{role.url}?options=-c%20role%3D{owner}", password) == []


def test_tables_of_other_databases_are_read_by_a_token_where_they_are_to_be(
    role: Role, giver: TokenGiver
) -> None:
    role.owner.execute("CREATE SCHEMA app")
    role.owner.execute("CREATE TABLE app.it (id integer PRIMARY KEY)")
    role.owner.execute(sql.SQL("GRANT USAGE ON SCHEMA app TO {}").format(role.name))
    role.owner.execute(sql.SQL("GRANT SELECT ON app.it TO {}").format(role.name))

    def read(**more: object) -> int:
        listed = {"url": role.url, "tables": ["app.*"], **more}
        sources = {"postgis": TableSource.model_validate(listed)}
        found = TableSources(sources, password=as_role(role, Identity()))
        return found.read(table("it"), lambda _: None)

    assert read(identity=True) == 0
    with pytest.raises(TableSourceUnavailable):
        read()
    giver.refuses = True
    with pytest.raises(TableSourceUnavailable):
        read(identity=True)
