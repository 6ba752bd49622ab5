"""A database beside the registry's own, with tables to hash, and who else may do it."""

import os
import re
import subprocess
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit
from uuid import uuid4

import psycopg
from psycopg import sql
from psycopg.rows import DictRow, dict_row

from devhost.stack import postgres
from shared.models.tables import TableReference, TableSource
from shared.storage.table_sources import TableSources

MESSAGES = Path(__file__).parents[2] / "docs" / "messages.md"
SOURCE = "postgis"


class SourceDatabase:
    """A database as its owner sees it."""

    def __init__(self, url: str) -> None:
        self.url = url
        connect = psycopg.Connection[DictRow].connect
        self.owner = connect(url, autocommit=True, row_factory=dict_row)
        for schema in ("app", "geo"):
            self.owner.execute(sql.SQL("CREATE SCHEMA {}").format(sql.Identifier(schema)))

    def run(self, *statements: str) -> None:
        """Run statements that a test spells out."""
        for statement in statements:
            self.owner.execute(statement.encode())

    def sources(self, url: str | None = None, **options: Any) -> TableSources:
        """Tables of this database, as the registry is told of them."""
        given = {"url": url or self.url, "tables": ["app.*", "geo.roads"]} | options
        return TableSources({SOURCE: TableSource.model_validate(given)})

    @contextmanager
    def reader(self, *settings: str) -> Generator[str]:
        """URL of a role that may read all there is, with settings of its own."""
        name = f"reader_{uuid4().hex}"
        role = sql.Identifier(name)
        make = (
            "CREATE ROLE {} LOGIN PASSWORD 'p'",
            "GRANT USAGE ON SCHEMA app, geo TO {}",
            "GRANT SELECT ON ALL TABLES IN SCHEMA app, geo TO {}",
            *(f"ALTER ROLE {{}} SET {setting}" for setting in settings),
        )
        for statement in make:
            self.owner.execute(sql.SQL(statement).format(role))  # pyright: ignore[reportArgumentType] - ours
        parts = urlsplit(self.url)
        host = parts.netloc.rpartition("@")[2]
        yield urlunsplit(parts._replace(netloc=f"{name}:p@{host}"))
        self.owner.execute(sql.SQL("DROP OWNED BY {}").format(role))
        self.owner.execute(sql.SQL("DROP ROLE {}").format(role))

    def close(self) -> None:
        self.owner.close()


def table(name: str, schema: str = "app") -> TableReference:
    return TableReference(SOURCE, schema, name)


def recipe() -> str:
    """The commands of docs/messages.md that hash `geo.roads`."""
    (found,) = re.findall(r"```sh\n(.*?sha256sum)\n```", MESSAGES.read_text(), re.DOTALL)
    return found


def hashed_by_hand(url: str, commands: str) -> str:
    """What a user gets who runs the commands: `psql` and `sha256sum` of this machine."""
    path = f"{postgres._binaries()}{os.pathsep}{os.environ['PATH']}"  # pyright: ignore[reportPrivateUsage] - its psql
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", commands],
        env={"PATH": path, "TABLE_SOURCE": url},
        check=True,
        capture_output=True,
        text=True,
    )
    assert done.stderr == ""
    return done.stdout.split()[0]
