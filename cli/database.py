"""What some commands do on the database itself, and on storage, without the API.

Imported when it is used: together with the services it takes longer than most commands.
"""

from collections.abc import Generator
from contextlib import closing, contextmanager

import psycopg
from pydantic import ValidationError

from cli.faults import FAILED, MISUSED, UNAVAILABLE, code_of, fail
from shared import bootstrap, errors
from shared.database.migrate import migrate
from shared.models.attempts import Attempt, Doing
from shared.models.registrations import Origin
from shared.services.api_keys import ApiKeyService
from shared.services.audit_exported import ExportedMonths
from shared.services.audit_retention import TrailRetention
from shared.services.audit_trail import AuditTrailService
from shared.services.audit_verification import AuditVerifier
from shared.services.backfill import BackfillService
from shared.services.reconciliation import ReconciliationService
from shared.services.trail_recovery import TrailRecovery
from shared.settings import variable_of
from shared.storage.accounts import BlobAccounts

_BACKFILL = Attempt(Doing("artifact_creation", "create"), Origin("cli:backfill"))
_RECONCILING = Attempt(Doing("location_refreshed", "refresh"), Origin("cli:reconcile"))


@contextmanager
def key_service(attempt: Attempt | None) -> Generator[ApiKeyService]:
    """The registry's own service; ends the command where it fails.

    The audit trail is told of an attempt that comes to nothing.
    """
    with _connected(), _told_in_the_trail(attempt):
        yield bootstrap.keys()


@contextmanager
def backfill_service() -> Generator[BackfillService]:
    """What registers blobs that were there before; ends the command where it fails."""
    with _connected(), _told_in_the_trail(_BACKFILL):
        yield bootstrap.backfills()


@contextmanager
def reconciliation_service() -> Generator[ReconciliationService]:
    """What compares store and registry; ends the command where it fails."""
    with _connected(), _told_in_the_trail(_RECONCILING):
        yield bootstrap.reconciliations()


@contextmanager
def audit_exports() -> Generator[tuple[AuditTrailService, BlobAccounts]]:
    """What reads the audit trail, and where it may be exported to; ends the command likewise."""
    with _connected():
        trail = AuditTrailService(bootstrap.database(), bootstrap.audit_table())
        yield trail, bootstrap.accounts()


@contextmanager
def audit_verifier() -> Generator[AuditVerifier]:
    """What proves the audit trail; ends the command where it fails."""
    with _connected():
        yield bootstrap.audit_verifier()


@contextmanager
def trail_recovery() -> Generator[TrailRecovery]:
    """What lets a restored database know the audit trail again; ends the command likewise."""
    with _connected():
        yield bootstrap.trail_recovery()


@contextmanager
def exported_months() -> Generator[ExportedMonths]:
    """What proves files that months of the trail were exported to; ends the command likewise."""
    with _connected():
        yield bootstrap.exported_months()


@contextmanager
def trail_retention() -> Generator[TrailRetention]:
    """What ends the audit trail where it is long enough; ends the command likewise."""
    with _connected():
        yield bootstrap.trail_retention()


@contextmanager
def _connected() -> Generator[None]:
    with _told_clearly():
        password = bootstrap.database_password()
        if password:
            password()  # without one the pool would wait for a connection, and not say why
        with closing(bootstrap.database()):
            yield


@contextmanager
def _told_in_the_trail(attempt: Attempt | None) -> Generator[None]:
    try:
        yield
    except errors.RegistryError as fault:
        if attempt is not None:
            told = bootstrap.attempts()
            told.record_fault(attempt.doing, attempt.origin, fault, attempt.details)
        raise


def apply_migrations() -> list[str]:
    """Names of what had to be applied; ends the command where it fails."""
    with _told_clearly():
        url = bootstrap.database_settings().database_url.get_secret_value()
        return migrate(url, bootstrap.database_password())


@contextmanager
def _told_clearly() -> Generator[None]:
    """One line for what an operator can mend; anything else is a fault of ours."""
    try:
        yield
    except ValidationError as error:
        fail(MISUSED, f"settings missing or invalid: {_settings_in(error)}")
    except errors.RegistryError as error:
        fail(code_of(error), error.summary)
    except (psycopg.errors.UndefinedTable, psycopg.errors.UndefinedColumn):
        fail(FAILED, "the database is not up to date: run 'migrate' first")
    except psycopg.Error as error:
        code = UNAVAILABLE if isinstance(error, psycopg.OperationalError) else FAILED
        fail(code, f"the database failed: {str(error).strip().partition(chr(10))[0]}")


def _settings_in(error: ValidationError) -> str:
    names = [variable_of(str(at["loc"][0])) for at in error.errors() if at["loc"]]
    return ", ".join(dict.fromkeys(names))
