"""Builds the registry: the one place that reads settings and constructs anything."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache, wraps
from os import environ
from threading import RLock
from typing import TypeVar

from shared.database.login import Password
from shared.database.pool import Database
from shared.identity import Identity
from shared.models.audit_retention import KeepingTime
from shared.models.audit_seals import SealKeys
from shared.services.access import AccessService
from shared.services.api_keys import ApiKeyService
from shared.services.artifact_service import ArtifactService
from shared.services.attempts import Attempts
from shared.services.audit_exported import ExportedMonths
from shared.services.audit_retention import TrailRetention
from shared.services.audit_seals import TrailSeals
from shared.services.audit_surface import Audit
from shared.services.audit_verification import AuditVerifier
from shared.services.backfill import BackfillService
from shared.services.backfill_registrars import Registrars
from shared.services.build_surface import Builds
from shared.services.byte_history import ByteHistoryService
from shared.services.depths import Depths
from shared.services.enforcement import Enforcement
from shared.services.failures import FailureService
from shared.services.figures import FiguresService
from shared.services.hash_later import LateHashes
from shared.services.health import HealthService
from shared.services.holds import HoldService
from shared.services.ingestion import IngestionService
from shared.services.poison_queues import PoisonQueues
from shared.services.policies import PolicyService
from shared.services.reconciliation import ReconciliationService
from shared.services.rehydration import RehydrationService
from shared.services.retirement import RetirementService
from shared.services.rules import RuleService
from shared.services.scrub import ScrubService
from shared.services.set_aside import SetAsideService
from shared.services.signing_keys import SigningKeys
from shared.services.tokens import TokenService
from shared.services.trail_recovery import TrailRecovery
from shared.services.trail_relay import TrailRelay
from shared.services.verification import Verifications
from shared.settings import (
    DatabaseSettings,
    KeySettings,
    RetentionSettings,
    SealSettings,
    Settings,
    TokenSettings,
    TriggerSettings,
)
from shared.storage.account import Account
from shared.storage.accounts import BlobAccounts
from shared.storage.audit_table import AuditTable
from shared.storage.blobs import BlobStore
from shared.storage.issuer import Issuer
from shared.storage.kept_blobs import KeptBlobs
from shared.storage.logs import quiet_request_logs
from shared.storage.queues import StorageQueue
from shared.storage.table_sources import TableSources
from shared.storage_settings import AuditSettings, StorageSettings
from shared.telemetry.exporting import export_where_configured
from shared.telemetry.logs import add_facts, quiet_others

Built = TypeVar("Built")

_BUILDING = RLock()
_READINESS_SECONDS = 2.0


@dataclass(frozen=True)
class Registry:
    """Everything that a trigger, a route or a command may call."""

    settings: Settings
    artifacts: ArtifactService
    ingestion: IngestionService
    late_hashes: LateHashes
    verifications: Verifications
    scrub: ScrubService
    retirement: RetirementService
    rehydration: RehydrationService
    holds: HoldService
    rules: RuleService
    policies: PolicyService
    enforcement: Enforcement
    byte_history: ByteHistoryService
    figures: FiguresService
    builds: Builds
    audit: Audit
    failures: FailureService
    poison_queues: PoisonQueues
    keys: ApiKeyService
    access: AccessService
    health: HealthService


def _now() -> datetime:
    return datetime.now(UTC)


def _once(build: Callable[[], Built]) -> Callable[[], Built]:
    """Build on the first call only, also where several threads make it at once."""
    built = cache(build)

    @wraps(build)
    def build_once() -> Built:
        with _BUILDING:
            return built()

    return build_once


@_once
def telemetry() -> None:
    """Tell of the work as the environment wants it: see docs/telemetry.md."""
    quiet_request_logs()
    add_facts()
    quiet_others()
    export_where_configured(environ)


@_once
def trigger_settings() -> TriggerSettings:
    """What the host must know to index the functions; needs no secret."""
    return TriggerSettings()


@_once
def database_settings() -> DatabaseSettings:
    """Enough to reach the database."""
    return DatabaseSettings()  # pyright: ignore[reportCallIssue] - the environment fills the fields


@_once
def identity() -> Identity:
    """Who the app is where no key or password says so; asks nobody before it is used."""
    return Identity()


def database_password() -> Password | None:
    """What opens the database beside its URL."""
    return identity().password if database_settings().database_identity else None


@_once
def database() -> Database:
    """The pool; connects on first use."""
    read = database_settings()
    return Database(
        read.database_url.get_secret_value(),
        size=read.database_pool_size,
        timeout_seconds=read.database_timeout_seconds,
        password=database_password(),
    )


@_once
def keys() -> ApiKeyService:
    """API keys alone, for commands that need no storage account."""
    read = KeySettings()  # pyright: ignore[reportCallIssue] - likewise
    return ApiKeyService(database(), read.key_pepper.get_secret_value(), _now)


def attempts() -> Attempts:
    """What tells the audit trail of commands that failed; needs no storage account either."""
    return Attempts(database(), _now)


@_once
def accounts() -> BlobAccounts:
    """The storage accounts that are listed, for commands that need no key; connects on first use.

    Raises ValueError where the list names one of them twice.
    """
    return BlobAccounts(BlobStore(account) for account in StorageSettings().accounts(identity()))


def token_service(read: TokenSettings) -> TokenService | None:
    """What checks bearer tokens, None where no issuer is set. Asks the issuer on first use."""
    if not read.token_issuer:
        return None
    signing_keys = SigningKeys(Issuer(read.token_jwks_url).read_keys)
    return TokenService(read.token_issuer, read.token_audience, signing_keys)


@_once
def audit_table() -> AuditTable:
    """The tables of the audit trail; connects on first use."""
    return AuditTable(_audit_account(), AuditSettings().audit_table)


def _audit_account() -> Account:
    own = AuditSettings().audit_account(identity())
    return own or StorageSettings().account(identity())


@_once
def _seal_keys() -> SealKeys:
    read = SealSettings()
    pepper = KeySettings().key_pepper  # pyright: ignore[reportCallIssue] - likewise
    return SealKeys.of(
        read.audit_signing_key.get_secret_value(),
        pepper.get_secret_value(),
        read.audit_earlier_keys,
    )


@_once
def _kept_seals() -> KeptBlobs:
    quiet_request_logs()
    return KeptBlobs(_audit_account(), SealSettings().audit_seal_container)


@_once
def trail_seals() -> TrailSeals:
    """What seals the days of the audit trail; for its timer alone."""
    return TrailSeals(database(), audit_table(), _kept_seals(), _seal_keys(), _now)


@_once
def audit_verifier() -> AuditVerifier:
    """What proves the audit trail; for a command alone."""
    return AuditVerifier(database(), audit_table(), _kept_seals(), _seal_keys())


@_once
def trail_recovery() -> TrailRecovery:
    """What lets a restored database know again what is in the audit trail; for a command alone."""
    relay = TrailRelay(database(), audit_table(), _now)
    return TrailRecovery(database(), audit_table(), relay, _kept_seals(), _seal_keys(), _now)


@_once
def _exports() -> KeptBlobs:
    return KeptBlobs(_audit_account(), RetentionSettings().audit_export_container)


@_once
def exported_months() -> ExportedMonths:
    """What proves files that months of the audit trail were exported to."""
    return ExportedMonths(database(), _exports(), _kept_seals(), _seal_keys())


@_once
def trail_retention() -> TrailRetention:
    """What ends the audit trail where it is long enough; for a timer and a command alone."""
    read = RetentionSettings()
    return TrailRetention(
        database(),
        audit_table(),
        _exports(),
        verifier=audit_verifier(),
        exported_months=exported_months(),
        keeping=KeepingTime(read.audit_minimum_days, read.audit_keep_months),
        clock=_now,
    )


def _queue(read: Settings, name: str) -> StorageQueue:
    return StorageQueue(read.account(identity()), name)


def poison_queues(read: Settings, set_aside: SetAsideService) -> PoisonQueues:
    """What the host gives up, of each queue that messages are taken from."""
    queues = {name: _queue(read, f"{name}-poison") for name in read.queues}
    return PoisonQueues(queues, set_aside)


def health(queue: StorageQueue) -> HealthService:
    """What readiness asks; the queue stands for all of them."""
    checks = {
        "database": lambda: database().check(_READINESS_SECONDS),
        "blobs": accounts().check,
        "queues": queue.check,
    }
    return HealthService(checks)


@_once
def registry() -> Registry:
    """The registry, built once per process on first use."""
    telemetry()
    read = Settings()  # pyright: ignore[reportCallIssue] - likewise
    store = accounts()
    tables = TableSources(read.table_sources, password=identity().password)
    queues = {name: _queue(read, name) for name in read.queues}
    set_aside = SetAsideService(database(), _now, queues)
    artifacts, policies = ArtifactService(database(), _now), PolicyService(database(), _now)
    rules = RuleService(database(), _now, store.accounts)
    ingestion = IngestionService(database(), artifacts, set_aside, store, rules, tables)
    retirement = RetirementService(database(), store, _now)
    verifications = Verifications(database(), artifacts, ingestion, store, _now)
    hashing, acting = queues[read.hashing_queue], queues[read.policy_actions_queue]
    kicking = _queue(read, read.audit_queue)
    return Registry(
        settings=read,
        artifacts=artifacts,
        ingestion=ingestion,
        late_hashes=LateHashes(database(), artifacts, ingestion, set_aside, store, hashing, _now),
        verifications=verifications,
        scrub=ScrubService(
            database(), _now, bytes_per_day=read.scrub_bytes_per_day, days=read.scrub_days
        ),
        retirement=retirement,
        rehydration=RehydrationService(database(), store, _now),
        holds=HoldService(database(), _now),
        rules=rules,
        policies=policies,
        enforcement=Enforcement.of(
            database(), policies, retirement, ingestion, set_aside, acting, _now
        ),
        byte_history=ByteHistoryService(database(), _now),
        figures=FiguresService(database(), _now),
        builds=Builds.of(database(), verifications, _now),
        audit=Audit.of(database(), audit_table(), _now, kicking),
        failures=FailureService(database(), _now, queues),
        poison_queues=poison_queues(read, set_aside),
        keys=keys(),
        access=AccessService(keys(), token_service(read)),
        health=health(queues[read.blob_events_queue]),
    )


def _registrars() -> Registrars:
    built = registry()
    return Registrars(database(), built.rules, accounts(), built.ingestion, built.late_hashes, _now)


@_once
def depths() -> Depths:
    """What measures how much waits; for a timer alone."""
    read = registry().settings
    names = [each for name in read.queues for each in (name, f"{name}-poison")]
    queues = {name: _queue(read, name) for name in names}
    return Depths(database(), queues, registry().audit.relay, _now)


@_once
def backfills() -> BackfillService:
    """What registers blobs that were there before; for commands alone."""
    return BackfillService(database(), registry().artifacts, accounts(), _registrars(), _now)


@_once
def reconciliations() -> ReconciliationService:
    """What compares store and registry; for commands alone."""
    return ReconciliationService(database(), registry().artifacts, accounts(), _registrars(), _now)
