"""The whole HTTP application over seeded data, and senders that may do all of it."""

import asyncio
from collections.abc import Iterator
from datetime import UTC, datetime
from uuid import UUID

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
from tests.integration.conftest import artifacts, clock, database, ingestion, sql, uploads
from tests.integration.http.conftest import build_registry
from tests.integration.registering import hash_of
from tests.safety.building import keep_builds
from tests.safety.operations import ARTIFACT_ID, HOLD_ID, REFERENCES, RUN_ID, SET_ASIDE_ID
from tests.safety.sender import Sender

__all__ = ["artifacts", "clock", "database", "ingestion", "sql", "uploads"]

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


@pytest.fixture
def queue_name(azurite: Azurite, unique_name: str) -> Iterator[str]:
    """Of a queue that messages may be replayed on; nothing takes them."""
    with QueueClient.from_connection_string(azurite.connection_string, unique_name) as client:
        client.create_queue()
        yield unique_name
        client.delete_queue()


@pytest.fixture
def registry(
    database: Database, artifacts: ArtifactService, azurite: Azurite, queue_name: str
) -> Registry:
    queues = {queue_name: StorageQueue(azurite.connection_string, queue_name)}
    registry = build_registry(database, artifacts, queues=queues)
    with database.connection() as connection:
        SetAsideRepository(connection).add(
            SET_ASIDE_ID,
            Message(queue_name, b"not JSON"),
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
    artifacts.register(SEEDED, Origin("test"), artifact_id=ARTIFACT_ID)
    keep_builds(database, registry.builds)
    registry.rules.put(IngestionRule.model_validate(RULE))
    registry.policies.apply(PolicyList(policies=[Policy.model_validate(POLICY)]))
    return registry


@pytest.fixture
def key_id(registry: Registry) -> UUID:
    """A key that may be looked at, changed and ended; it opens nothing."""
    return registry.keys.create("bystander", []).key_id


@pytest.fixture
def app(registry: Registry) -> FastAPI:
    return build_app(lambda: registry)


@pytest.fixture
def runner() -> Iterator[asyncio.Runner]:
    with asyncio.Runner() as runner:
        yield runner


@pytest.fixture
def all_scopes(registry: Registry) -> str:
    """A key that opens everything."""
    return registry.keys.create("everything", list(Scope)).text


@pytest.fixture
def sender(app: FastAPI, runner: asyncio.Runner, all_scopes: str) -> Sender:
    return Sender(app, runner, all_scopes)


@pytest.fixture
def stranger(app: FastAPI, runner: asyncio.Runner) -> Sender:
    """Nobody that the registry knows."""
    return Sender(app, runner)
