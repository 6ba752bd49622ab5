"""Projects: which states their builds go through."""

import json
from collections.abc import Callable
from datetime import datetime
from operator import itemgetter
from typing import Any

from pydantic import TypeAdapter

from shared.database.pool import Database
from shared.errors import InvalidInput, ProjectNotFound
from shared.models.build_catalogues import Project, ProjectPage, ProjectRequest
from shared.models.builds import PrintableName
from shared.models.cursors import foreign_cursor, read_cursor, write_cursor
from shared.models.registrations import Origin
from shared.models.text import storable
from shared.repositories.projects import ProjectRepository
from shared.services.asked import as_kept, as_valid, require_page

MAXIMUM_CHARACTERS = 100_000
"""Of a catalogue as JSON: every state that is told reads all of it."""
MAXIMUM_PROJECTS = 100
"""Of a page, which holds whole catalogues."""

_LIST = "projects"
_NAME = TypeAdapter[str](PrintableName)


class ProjectService:
    """Catalogues count from the next word about any build of the project, also one that goes on.

    Builds need no project. Every change is one transaction, and in the audit trail.
    """

    def __init__(self, database: Database, clock: Callable[[], datetime]) -> None:
        self._database = database
        self._clock = clock

    def read(self, name: str) -> Project:
        """One project; raises ProjectNotFound."""
        with self._database.connection() as connection:
            project = ProjectRepository(connection).get(as_kept("name", name))
        if project is None:
            raise ProjectNotFound
        return project

    def put(self, name: str, wanted: ProjectRequest, origin: Origin) -> Project:
        """Make this the catalogue of a project, new or known; changing nothing leaves no trace.

        Raises InvalidInput for a name that cannot be one, and for a catalogue that is too large.
        """
        states = sorted(wanted.model_dump(mode="json")["states"], key=itemgetter("code"))
        if len(json.dumps(states)) > MAXIMUM_CHARACTERS:
            raise InvalidInput(
                f"All states together have at most {MAXIMUM_CHARACTERS} characters.", "/states"
            )
        request = self._request(as_valid(_NAME, "name", name), origin) | {"states": states}
        with self._database.connection() as connection:
            return ProjectRepository(connection).put(request)

    def remove(self, name: str, origin: Origin) -> None:
        """Forget a project's catalogue: its builds take any state then.

        Raises ProjectNotFound.
        """
        request = self._request(as_kept("name", name), origin)
        with self._database.connection() as connection:
            if not ProjectRepository(connection).remove(request):
                raise ProjectNotFound

    def list_projects(self, limit: int = 100, cursor: str | None = None) -> ProjectPage:
        """A page of projects, by name: 100 at most, however many more are asked for.

        Raises InvalidInput for a limit outside 1 to MAXIMUM_PAGE, and for a cursor of another list.
        """
        require_page(limit)
        most = min(limit, MAXIMUM_PROJECTS)
        after = "" if cursor is None else _read_name(cursor)
        with self._database.connection() as connection:
            found = ProjectRepository(connection).page(after, most + 1)
        if len(found) <= most:
            return ProjectPage(projects=found, next=None)
        return ProjectPage(projects=found[:most], next=write_cursor(_LIST, found[most - 1].name))

    def _request(self, name: str, origin: Origin) -> dict[str, Any]:
        return {"name": name, "origin": origin.as_json(), "at": self._clock().isoformat()}


def _read_name(cursor: str) -> str:
    try:
        return storable(read_cursor(_LIST, cursor))
    except ValueError:
        raise foreign_cursor() from None
