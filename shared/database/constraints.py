"""Violated constraints, by name, as the registry's own errors."""

from collections.abc import Generator
from contextlib import contextmanager
from uuid import UUID

from psycopg.errors import DataError, IntegrityError

from shared.errors import ArtifactHeld, ArtifactRetained, InvalidInput, InvalidTransition

_FORWARD_ONLY = "_forward"
_HELD = "artifacts_held"
_RETAINED = "artifacts_retained"


@contextmanager
def constraint_errors() -> Generator[None]:
    """Translate what the database refuses.

    InvalidTransition for a guard, ArtifactHeld for what is held, ArtifactRetained for what a locked
    policy retains, else InvalidInput.
    """
    try:
        yield
    except IntegrityError as error:
        name = error.diag.constraint_name or "unnamed"
        if name.endswith(_FORWARD_ONLY):
            raise InvalidTransition from error
        if name == _HELD and error.diag.message_detail:
            raise ArtifactHeld(UUID(error.diag.message_detail)) from error
        if name == _RETAINED and error.diag.message_detail:
            raise ArtifactRetained(error.diag.message_detail) from error
        raise InvalidInput(f"The registry's rule {name} does not allow this.") from error
    except DataError as error:
        raise InvalidInput("A value cannot be stored as it is.") from error
