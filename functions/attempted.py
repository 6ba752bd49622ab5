"""What a trigger's work leaves in the audit trail beside the events of its changes."""

from collections.abc import Generator
from contextlib import contextmanager

from shared.models.attempts import Doing
from shared.models.registrations import Origin
from shared.services.audit_surface import Audit

REGISTERING = Doing("artifact_creation", "create")


@contextmanager
def told_of_faults(audit: Audit, doing: Doing, origin: Origin) -> Generator[None]:
    """Tell of what goes to the host as a fault.

    Enough for timers: the relay's own moves what they did within a minute, and most did nothing.
    """
    try:
        yield
    except Exception as fault:
        audit.attempts.record_fault(doing, origin, fault)
        raise


@contextmanager
def attempted(audit: Audit, doing: Doing, origin: Origin) -> Generator[None]:
    """The same, and have what was done moved into the trail."""
    try:
        with told_of_faults(audit, doing, origin):
            yield
    finally:
        audit.kick.changed()
