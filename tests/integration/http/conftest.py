"""The HTTP application on a real registry: no server, no socket, everything else genuine."""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime

import pytest
from fastapi import FastAPI
from pydantic import SecretStr

from functions.http.app import build_app
from shared.bootstrap import Registry
from shared.database.pool import Database
from shared.models.api_keys import Scope
from shared.services.access import AccessService
from shared.services.api_keys import ApiKeyService
from shared.services.artifact_service import ArtifactService
from shared.services.audit_surface import Audit
from shared.services.build_surface import Builds
from shared.services.byte_history import ByteHistoryService
from shared.services.enforcement import Enforcement
from shared.services.failures import FailureService
from shared.services.figures import FiguresService
from shared.services.hash_later import LateHashes
from shared.services.health import HealthService
from shared.services.holds import HoldService
from shared.services.ingestion import IngestionService
from shared.services.poison_queues import PoisonQueues
from shared.services.policies import PolicyService
from shared.services.rehydration import RehydrationService
from shared.services.retirement import RetirementService
from shared.services.rules import RuleService
from shared.services.scrub import ScrubService
from shared.services.set_aside import SetAsideService
from shared.services.verification import Verifications
from shared.settings import Settings
from shared.storage.audit_table import AuditTable
from shared.storage.blobs import BlobStore
from shared.storage.queues import StorageQueue
from tests.integration.http.caller import Caller

STORAGE = "UseDevelopmentStorage=true"
"""Nothing here reaches for it: routes of these surfaces read the database only."""
POLICY_ACTIONS = "policy-actions"


def now() -> datetime:
    return datetime.now(UTC)


def settings() -> Settings:
    return Settings(
        database_url=SecretStr("postgresql://unused"),
        storage=SecretStr(STORAGE),
        key_pepper=SecretStr("p" * 32),
    )


def build_registry(
    database: Database,
    artifacts: ArtifactService,
    health: HealthService | None = None,
    queues: Mapping[str, StorageQueue] | None = None,
) -> Registry:
    set_aside = SetAsideService(database, now)
    keys = ApiKeyService(database, "p" * 32, now)
    store = BlobStore(STORAGE)
    rules = RuleService(database, now, [store.account])
    ingestion = IngestionService(database, artifacts, set_aside, store, rules)
    hashing = StorageQueue(STORAGE, "artifact-hashing")
    verifications = Verifications(database, artifacts, ingestion, store, now)
    retirement, policies = RetirementService(database, store, now), PolicyService(database, now)
    acting = (queues or {}).get(POLICY_ACTIONS) or StorageQueue(STORAGE, POLICY_ACTIONS)
    return Registry(
        settings=settings(),
        artifacts=artifacts,
        ingestion=ingestion,
        late_hashes=LateHashes(database, artifacts, ingestion, set_aside, store, hashing, now),
        verifications=verifications,
        scrub=ScrubService(database, now, bytes_per_day=2**40, days=30),
        retirement=retirement,
        rehydration=RehydrationService(database, store, now),
        rules=rules,
        policies=policies,
        enforcement=Enforcement.of(
            database, policies, retirement, ingestion, set_aside, acting, now
        ),
        byte_history=ByteHistoryService(database, now),
        figures=FiguresService(database, now),
        builds=Builds.of(database, verifications, now),
        audit=Audit.of(database, AuditTable(STORAGE, "unused"), now),
        holds=HoldService(database, now),
        failures=FailureService(database, now, queues or {}),
        poison_queues=PoisonQueues({}, set_aside),
        keys=keys,
        access=AccessService(keys),
        health=health or HealthService({"database": lambda: database.check(2.0)}),
    )


@pytest.fixture
def registry(database: Database, artifacts: ArtifactService) -> Registry:
    return build_registry(database, artifacts)


@pytest.fixture
def app(registry: Registry) -> FastAPI:
    return build_app(lambda: registry)


@pytest.fixture
def read_key(registry: Registry) -> str:
    return registry.keys.create("reader", [Scope.READ]).text


@pytest.fixture
def anonymous(app: FastAPI) -> Caller:
    return Caller(app)


@pytest.fixture
def reader(app: FastAPI, read_key: str) -> Caller:
    return Caller(app, read_key)


@pytest.fixture
def writer(app: FastAPI, registry: Registry) -> Caller:
    return Caller(app, registry.keys.create("writer", [Scope.WRITE]).text)


@pytest.fixture
def server(app: FastAPI, registry: Registry) -> Caller:
    """What builds: it tells, and asks what others told."""
    return Caller(app, registry.keys.create("server", [Scope.READ, Scope.WRITE]).text)


@pytest.fixture
def operator(app: FastAPI, registry: Registry) -> Caller:
    return Caller(app, registry.keys.create("operator", [Scope.ADMIN]).text)


@pytest.fixture
def broken_database() -> Iterator[Database]:
    """Nobody listens where it looks."""
    database = Database("postgresql://nobody@127.0.0.1:1/none", size=1, timeout_seconds=0.2)
    yield database
    database.close()
