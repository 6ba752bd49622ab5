"""Making and finding builds."""

from collections.abc import Callable
from datetime import datetime
from uuid import UUID

from pydantic import TypeAdapter

from shared.database.constraints import constraint_errors
from shared.database.pool import Database
from shared.errors import BuildExists, BuildNotFound
from shared.models.builds import Build, BuildFilter, BuildPage, BuildRequest
from shared.models.cursors import name_list, read_id, write_cursor
from shared.models.ids import new_id
from shared.models.registrations import IdempotencyKey, Origin
from shared.repositories.builds import BuildRepository
from shared.services.asked import cut_page, require_page
from shared.services.idempotency import do_in_transaction

LOOKED_AT = 5000
"""Builds that are looked at for one page."""


class BuildService:
    """Every change is one transaction, and in the audit trail."""

    def __init__(self, database: Database, clock: Callable[[], datetime]) -> None:
        self._database = database
        self._clock = clock

    def create(
        self, wanted: BuildRequest, origin: Origin, *, idempotency: IdempotencyKey | None = None
    ) -> Build:
        """Make a build. Raises BuildExists, naming the build that has its number."""
        now = self._clock()
        run = wanted.model_dump(mode="json", exclude={"build_number"})
        request = {
            "run": run | {"run_id": str(new_id()), "run_name": wanted.build_number},
            "origin": origin.as_json(),
            "at": now.isoformat(),
        }
        with self._database.connection() as connection, constraint_errors():
            return do_in_transaction(
                connection,
                idempotency,
                now,
                TypeAdapter(Build),
                lambda: _made(*BuildRepository(connection).create(request)),
            )

    def get(self, build_id: UUID) -> Build:
        """One build. Raises BuildNotFound."""
        with self._database.connection() as connection:
            return required_build(BuildRepository(connection).get(build_id))

    def list_builds(
        self, wanted: BuildFilter, *, limit: int = 100, cursor: str | None = None
    ) -> BuildPage:
        """A page of the builds that satisfy every condition, newest first.

        It may hold less than `limit` before the end. Raises InvalidInput for a limit outside 1 to
        MAXIMUM_PAGE, and for a cursor of another list.
        """
        require_page(limit)
        name = name_list("builds", wanted.model_dump(mode="json"))
        before = read_id(name, cursor)
        with self._database.connection() as connection:
            rows = BuildRepository(connection).page(wanted, before, limit + 1, LOOKED_AT)
        builds, place = cut_page(rows, limit)
        return BuildPage(builds=builds, next=None if place is None else write_cursor(name, place))


def required_build(build: Build | None) -> Build:
    """The build. Raises BuildNotFound where there is none."""
    if build is None:
        raise BuildNotFound
    return build


def _made(build: Build, is_new: bool) -> Build:
    if not is_new:
        raise BuildExists(build.id)
    return build
