"""A deployed database behind PgBouncer."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from devhost.stack.postgres import THROW_AWAY, EmbeddedPostgres
from tests.deployment import APP, Deployment, deploy
from tests.pgbouncer.pooler import PgBouncer
from tests.pgbouncer.program import Program, find_pgbouncer


@pytest.fixture(scope="session")
def program() -> Program:
    """Where somebody counts on these tests, they fail without it."""
    found = find_pgbouncer()
    if found is None:
        missing = "PgBouncer is missing: `make pgbouncer` fetches Debian's"
        pytest.fail(missing) if os.environ.get("CI") else pytest.skip(missing)
    return found


@pytest.fixture(scope="session")
def deployment(program: Program, session_directory: Path) -> Iterator[Deployment]:
    server = EmbeddedPostgres(session_directory / "pooled", settings=THROW_AWAY)
    server.start()
    yield deploy(server)
    server.stop()


@pytest.fixture
def pooler(
    program: Program, deployment: Deployment, session_directory: Path, unique_name: str
) -> Iterator[PgBouncer]:
    pooler = PgBouncer(program, deployment.server.url(), session_directory / unique_name)
    pooler.start()
    yield pooler
    pooler.stop()


@pytest.fixture
def pooled_url(deployment: Deployment, pooler: PgBouncer) -> str:
    """What the app is given as its database."""
    return deployment.url(APP, port=pooler.port)
