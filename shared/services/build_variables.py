"""Variables of builds: set, listed, and never shown where they are sensitive."""

from collections.abc import Callable
from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic import TypeAdapter

from shared.database.pool import Database
from shared.errors import BuildNotFound, InvalidInput, VariableNotFound
from shared.models.build_variables import (
    BuildVariable,
    BuildVariableList,
    VariableName,
    VariableRequest,
)
from shared.models.registrations import Origin
from shared.repositories.build_variables import BuildVariableRepository, HeldVariable
from shared.services.asked import as_kept, as_valid

MAXIMUM_VARIABLES = 1000
MAXIMUM_BYTES = 1_000_000
"""Of all values of a build: they are listed as a whole."""

_NAME = TypeAdapter[str](VariableName)


class BuildVariableService:
    """A value that is sensitive is dropped before anything is sent to the database.

    A variable that was sensitive once stays so, until it is removed. Every change is one
    transaction, and in the audit trail, which tells no value.
    """

    def __init__(self, database: Database, clock: Callable[[], datetime]) -> None:
        self._database = database
        self._clock = clock

    def put(
        self, build_id: UUID, name: str, wanted: VariableRequest, origin: Origin
    ) -> BuildVariable:
        """Set a variable, or declare it, in place of what it was.

        Raises BuildNotFound, and InvalidInput for a name that cannot be one, for a build that has
        1,000 others, and for values that are too large all together.
        """
        asked = as_valid(_NAME, "name", name)
        with self._database.connection() as connection, connection.transaction():
            variables = BuildVariableRepository(connection)
            held = variables.hold(build_id, asked)
            _require_room(held, wanted)
            told = wanted.model_dump() | {
                "name": asked,
                "is_set": wanted.value is not None,
                "sensitive": wanted.sensitive or held.is_sensitive,
            }
            if told["sensitive"]:
                told["value"] = None
            return variables.put(self._request(build_id, origin) | {"variable": told})

    def list_variables(self, build_id: UUID) -> BuildVariableList:
        """All variables of a build, by name. Raises BuildNotFound."""
        with self._database.connection() as connection:
            found = BuildVariableRepository(connection).of_build(build_id)
        if found is None:
            raise BuildNotFound
        return BuildVariableList(variables=found)

    def remove(self, build_id: UUID, name: str, origin: Origin) -> None:
        """Forget a variable, also that it was sensitive.

        Raises BuildNotFound and VariableNotFound.
        """
        request = self._request(build_id, origin) | {"name": as_kept("name", name)}
        with self._database.connection() as connection:
            outcome = BuildVariableRepository(connection).remove(request)
        if outcome == "unknown build":
            raise BuildNotFound
        if outcome == "unknown":
            raise VariableNotFound

    def _request(self, build_id: UUID, origin: Origin) -> dict[str, Any]:
        return {
            "build_id": str(build_id),
            "origin": origin.as_json(),
            "at": self._clock().isoformat(),
        }


def _require_room(held: HeldVariable, wanted: VariableRequest) -> None:
    if not held.is_known:
        raise BuildNotFound
    if held.others >= MAXIMUM_VARIABLES:
        raise InvalidInput(f"A build has at most {MAXIMUM_VARIABLES} variables.", "/name")
    if held.other_bytes + len((wanted.value or "").encode()) > MAXIMUM_BYTES:
        raise InvalidInput(
            f"All values of a build have at most {MAXIMUM_BYTES} bytes together.", "/value"
        )
