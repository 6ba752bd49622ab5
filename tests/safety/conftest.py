"""The whole HTTP application over seeded data, and senders that may do all of it."""

import asyncio
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit
from uuid import UUID

import psycopg
import pytest
from azure.storage.queue import QueueClient
from fastapi import FastAPI

from devhost.stack.azurite import Azurite
from functions.http.app import build_app
from functions.http.policy_bodies import POLICY
from functions.http.rule_bodies import RULE
from shared.bootstrap import Registry
from shared.database.pool import Database
from shared.models.api_keys import Scope
from shared.models.artifacts import ArtifactRegistration
from shared.models.policies import Policy
from shared.models.policy_files import PolicyList
from shared.models.registrations import Origin
from shared.models.rules import IngestionRule
from shared.models.set_aside import Message
from shared.repositories.holds import HoldRepository
from shared.repositories.policy_runs import PolicyRunRepository
from shared.repositories.set_aside import SetAsideRepository
from shared.services.artifact_service import ArtifactService
from shared.storage.queues import StorageQueue
from tests.databases import database_of, own_database
from tests.integration.clock import TickingClock
from tests.integration.conftest import artifacts, database, ingestion, sql, uploads
from tests.integration.http.conftest import build_registry
from tests.integration.registering import hash_of
from tests.safety.building import keep_builds
from tests.safety.operations import ARTIFACT_ID, HOLD_ID, REFERENCES, RUN_ID, SET_ASIDE_ID
from tests.safety.sender import Sender

__all__ = ["artifacts", "database", "ingestion", "sql", "uploads"]

SEEDED = ArtifactRegistration(
    client_type="ddh",
    client_refs=dict(REFERENCES),
    content_hash=hash_of("seeded"),
    size_bytes=6,
    metadata={"title": "Site A"},
    stac_collection_id="cogs",
    stac_item_id="site-a",
    source_job_id="job-123",
)


@dataclass(frozen=True)
class Seeds:
    """What there is before a test begins: it is made once, and each test has a copy."""

    template: str
    """Name of the database to be copied."""
    queue: str
    """Name of a queue that messages may be replayed on; nothing takes them."""
    key_id: UUID
    all_scopes: str = field(repr=False)


@pytest.fixture(scope="session")
def seeds(postgres: str, template_database: str, azurite: Azurite) -> Iterator[Seeds]:
    queue = f"test-{uuid.uuid4().hex}"
    with (
        QueueClient.from_connection_string(azurite.connection_string, queue) as client,
        own_database(postgres, template_database) as url,
    ):
        client.create_queue()
        database = Database(url, size=2, timeout_seconds=10)
        artifacts = ArtifactService(database, TickingClock())
        registry = build_registry(database, artifacts)
        seed(database, registry, queue)
        bystander = registry.keys.create("bystander", []).key_id
        everything = registry.keys.create("everything", list(Scope)).text
        database.close()
        template = urlsplit(url).path.removeprefix("/")
        yield Seeds(template, queue, bystander, everything)
        client.delete_queue()


def seed(database: Database, registry: Registry, queue: str) -> None:
    """Something for every operation to be about."""
    with database.connection() as connection:
        SetAsideRepository(connection).add(
            SET_ASIDE_ID,
            Message(queue, b"not JSON"),
            reason="malformed_message",
            explanation="It is not JSON.",
            at=datetime.now(UTC),
        )
        HoldRepository(connection).place(
            {
                "hold_id": str(HOLD_ID),
                "selector": {"container": "evidence"},
                "reason": "litigation 7",
                "origin": Origin("test").as_json(),
                "at": datetime.now(UTC).isoformat(),
            }
        )
        PolicyRunRepository(connection).begin(
            RUN_ID,
            Policy.model_validate(POLICY | {"name": "cool-even-older"}),
            Origin("test"),
            datetime.now(UTC),
            is_scheduled=False,
        )
    registry.artifacts.register(SEEDED, Origin("test"), artifact_id=ARTIFACT_ID)
    keep_builds(database, registry.builds)
    registry.rules.put(IngestionRule.model_validate(RULE))
    registry.policies.apply(PolicyList(policies=[Policy.model_validate(POLICY)]))


@pytest.fixture
def database_url(postgres: str, administrator: psycopg.Connection, seeds: Seeds) -> Iterator[str]:
    """URL of a database of the test's own, in which everything is that it may ask about."""
    with database_of(administrator, postgres, seeds.template) as url:
        yield url


@pytest.fixture
def clock() -> TickingClock:
    """It goes on where that of the seeds ended."""
    clock = TickingClock()
    clock.now += timedelta(days=1)
    return clock


@pytest.fixture
def registry(
    database: Database, artifacts: ArtifactService, azurite: Azurite, seeds: Seeds
) -> Registry:
    queues = {seeds.queue: StorageQueue(azurite.connection_string, seeds.queue)}
    return build_registry(database, artifacts, queues=queues)


@pytest.fixture
def key_id(seeds: Seeds) -> UUID:
    """A key that may be looked at, changed and ended; it opens nothing."""
    return seeds.key_id


@pytest.fixture
def app(registry: Registry) -> FastAPI:
    return build_app(lambda: registry)


@pytest.fixture
def runner() -> Iterator[asyncio.Runner]:
    with asyncio.Runner() as runner:
        yield runner


@pytest.fixture
def all_scopes(seeds: Seeds) -> str:
    """A key that opens everything."""
    return seeds.all_scopes


@pytest.fixture
def sender(app: FastAPI, runner: asyncio.Runner, all_scopes: str) -> Sender:
    return Sender(app, runner, all_scopes)


@pytest.fixture
def stranger(app: FastAPI, runner: asyncio.Runner) -> Sender:
    """Nobody that the registry knows."""
    return Sender(app, runner)
