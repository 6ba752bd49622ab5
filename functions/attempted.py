"""What a trigger's work leaves in the audit trail beside the events of its changes."""

from collections.abc import Generator
from contextlib import contextmanager

from shared.models.attempts import Doing
from shared.models.registrations import Origin
from shared.services.audit_surface import Audit

REGISTERING = Doing("artifact_creation", "create")


@contextmanager
def attempted(audit: Audit, doing: Doing, origin: Origin) -> Generator[None]:
    """Tell of what goes to the host as a fault; have what was done moved into the trail."""
    try:
        yield
    except Exception as fault:
        audit.attempts.record_fault(doing, origin, fault)
        raise
    finally:
        audit.kick.changed()
