"""Backups as an operator makes them: PostgreSQL's own programs, of the server's version."""

import subprocess
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import psycopg
from psycopg import sql

from devhost.stack import postgres

_PROGRAMS = postgres._binaries()  # pyright: ignore[reportPrivateUsage] - of the same version


def dump(url: str, file: Path) -> None:
    """All of one database, as it is at one instant."""
    _run("pg_dump", "--format=custom", "--no-owner", f"--file={file}", url)


def restore(url: str, file: Path) -> None:
    """The database is lost, and is what it was when the file was made."""
    parts = urlsplit(url)
    name = sql.Identifier(parts.path.removeprefix("/"))
    server = urlunsplit(parts._replace(path="/postgres"))
    with psycopg.connect(server, autocommit=True) as administrator:
        administrator.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(name))
        administrator.execute(sql.SQL("CREATE DATABASE {} TEMPLATE template0").format(name))
    _run("pg_restore", "--no-owner", "--exit-on-error", f"--dbname={url}", str(file))


def _run(program: str, *arguments: str) -> None:
    done = subprocess.run(
        [str(_PROGRAMS / program), *arguments], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
