"""Databases of a test's own, on a server that other tests and other processes use too."""

import uuid
from collections.abc import Generator
from contextlib import contextmanager
from urllib.parse import urlsplit, urlunsplit

import psycopg
from psycopg import sql
from psycopg.rows import DictRow, dict_row

_FIRST_WITH_STRATEGIES = 150000
"""PostgreSQL 15; files are copied for less than half of what its own choice, the log, costs."""


def connected(url: str) -> psycopg.Connection[DictRow]:
    """A connection whose statements are each a transaction, with rows by name."""
    return psycopg.Connection[DictRow].connect(url, autocommit=True, row_factory=dict_row)


@contextmanager
def own_database(server: str, template: str = "template1") -> Generator[str]:
    """URL of a new database, a copy of another one; dropped in the end."""
    with (
        psycopg.connect(server, autocommit=True) as administrator,
        database_of(administrator, server, template) as url,
    ):
        yield url


@contextmanager
def database_of(administrator: psycopg.Connection, server: str, template: str) -> Generator[str]:
    """The same, by a connection that somebody has already."""
    name = f"test_{uuid.uuid4().hex}"
    has_strategies = administrator.info.server_version >= _FIRST_WITH_STRATEGIES
    administrator.execute(
        sql.SQL("CREATE DATABASE {} TEMPLATE {} {}").format(
            sql.Identifier(name),
            sql.Identifier(template),
            sql.SQL("STRATEGY file_copy" if has_strategies else ""),
        )
    )
    yield urlunsplit(urlsplit(server)._replace(path=f"/{name}"))
    administrator.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))
