"""Everything on one database server as the app has it: its role, behind PgBouncer.

`REGISTRY_TEST_BEHIND_PGBOUNCER=1 pytest tests/integration` has services of this process work so,
while what tests do behind the registry's back stays a superuser's, past PgBouncer.
"""

import os
import secrets
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

import psycopg
import pytest
from psycopg import sql

from shared.database import loop, options, pool
from shared.database.login import Password
from shared.database.migrate import migrate
from tests.deployment import APP, ROLES
from tests.pgbouncer.pooler import PgBouncer
from tests.pgbouncer.program import find_pgbouncer

IS_WANTED = bool(os.environ.get("REGISTRY_TEST_BEHIND_PGBOUNCER"))


def migrate_as_owner(url: str) -> None:
    """With roles before and after, as a deployment does."""
    with psycopg.connect(url, autocommit=True) as superuser:
        superuser.execute(ROLES.read_bytes())
        migrate(f"{url}?options={quote('-c role=registry_owner')}")
        superuser.execute(ROLES.read_bytes())


@contextmanager
def behind_pgbouncer(server: str, directory: Path) -> Generator[None]:
    """What services open to this server, they open as the app while the block runs."""
    program = find_pgbouncer()
    assert program is not None, "make pgbouncer"
    pooler = PgBouncer(program, server, directory)
    pooler.start()
    own = {"user": APP, "password": _make_app(server), "port": pooler.port}

    def connection_options(
        url: str, timeout_seconds: float, password: Password | None
    ) -> dict[str, Any]:
        said = options.connection_options(url, timeout_seconds, password)
        return said | own if urlsplit(url).port == urlsplit(server).port else said

    with pytest.MonkeyPatch.context() as patch:
        for module in (pool, loop):
            patch.setattr(module, "connection_options", connection_options)
        yield
    pooler.stop()


def _make_app(server: str) -> str:
    """Makes the role; its password."""
    password = secrets.token_urlsafe(24)
    with psycopg.connect(server, autocommit=True) as superuser:
        superuser.execute(ROLES.read_bytes())
        create = sql.SQL("CREATE ROLE {} LOGIN PASSWORD {} IN ROLE registry_app")
        superuser.execute(create.format(sql.Identifier(APP), password))
    return password
