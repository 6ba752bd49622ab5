"""Reads the audit trail: events of any kind, an artifact's history, what failed; and exports it."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager
from datetime import date, datetime
from itertools import islice
from typing import BinaryIO
from uuid import UUID

from shared.database.pool import Database
from shared.models.audit import KeptEvent
from shared.models.audit_exports import ExportFormat
from shared.models.audit_queries import AuditFilter, AuditPage, ErrorSummary
from shared.models.cursors import foreign_cursor, name_list, read_cursor, write_cursor
from shared.services.asked import require_page
from shared.services.audit_export import Counted, event_of, write_events
from shared.services.audit_walk import Look, Place, TrailWalk
from shared.storage.audit_table import AuditTable

EFFORT = 20_000
"""Events of a kibibyte that one answer looks at, about: no answer is larger than these are. It is
the price of 40 stretches in which nothing is."""
_REASONS = 100
_OTHERS = "others"


class AuditTrailService:
    """Answers from what is written: an event is in no answer before all earlier ones are written.

    Whatever is called raises StorageUnavailable and DatabaseUnavailable. An event is shown where
    its own text says what was asked for; whether the trail is whole is another question.
    """

    def __init__(self, database: Database, table: AuditTable, *, effort: int = EFFORT) -> None:
        self._database = database
        self._table = table
        self._effort = effort

    def query_audit_trail(
        self, wanted: AuditFilter, *, limit: int = 100, cursor: str | None = None
    ) -> AuditPage:
        """A page of the events that are meant, newest first.

        It may hold fewer, or none, where there are more: `next` goes on looking. Raises
        InvalidInput for a limit outside 1 to MAXIMUM_PAGE, and for a cursor of another query.
        """
        require_page(limit)
        name = name_list("audit", wanted.model_dump(mode="json"))
        search = self._search(wanted, self._effort, _place_in(name, cursor))
        found = iter(search)
        kept = list(islice(found, limit))
        place = search.place
        if next(found, None) is None:
            place = search.place  # nothing more as far as was looked: perhaps the end
        return AuditPage(kept, _cursor_at(name, place))

    def get_artifact_history(
        self, artifact_id: UUID, *, limit: int = 100, cursor: str | None = None
    ) -> AuditPage:
        """A page of what was done to an artifact, newest first; as of any query."""
        wanted = AuditFilter(artifact_id=artifact_id)
        return self.query_audit_trail(wanted, limit=limit, cursor=cursor)

    def get_error_summary(
        self,
        start: datetime | None = None,
        end: datetime | None = None,
        *,
        cursor: str | None = None,
    ) -> ErrorSummary:
        """How many attempts failed that were made from `start` on and before `end`, and why.

        Of a part of the trail where it is long: `next` goes on counting. Raises InvalidInput for a
        cursor of other times.
        """
        wanted = AuditFilter(success=False, start=start, end=end)
        name = name_list("audit-errors", wanted.model_dump(mode="json"))
        search = self._search(wanted, self._effort, _place_in(name, cursor))
        operations, reasons = Counter[str](), Counter[str]()
        for kept in search:
            operations[kept.event.operation] += 1
            reasons[_reason(kept.event.error or "")] += 1
        return ErrorSummary(
            total_errors=operations.total(),
            errors_by_operation=dict(operations.most_common()),
            errors_by_reason=_most_common(reasons),
            next=_cursor_at(name, search.place),
        )

    def export_audit_trail(
        self,
        wanted: AuditFilter,
        form: ExportFormat,
        target: AbstractContextManager[BinaryIO],
        progress: Callable[[int], None] = lambda _: None,
    ) -> int:
        """Write all events that are meant, newest first; answers with how many there are.

        `target` opens what takes them and, left without an error, keeps it. Memory is bounded;
        `progress` is told now and then how many are written.
        """
        counted = Counted(self._search(wanted), progress)
        with target as file:
            write_events((event_of(kept.canonical) for kept in counted), form, file)
        return counted.count

    def _search(
        self, wanted: AuditFilter, effort: int | None = None, place: Place | None = None
    ) -> "Search":
        walk = TrailWalk(self._database, self._table, wanted)
        return Search(walk.looks(place), effort)


class Search:
    """The events that a walk finds, until it ends or enough was looked at."""

    def __init__(self, looks: Iterable[Look], effort: int | None) -> None:
        self._looks = looks
        self._effort = effort
        self.place: Place | None = None
        """Behind what was looked at; None at the end of the trail."""

    def __iter__(self) -> Iterator[KeptEvent]:
        spent = 0
        for look in self._looks:
            self.place = look.place
            spent += look.cost
            if look.kept is not None:
                yield look.kept
            if self._effort is not None and spent >= self._effort:
                return
        self.place = None


def _place_in(name: str, cursor: str | None) -> Place | None:
    if cursor is None:
        return None
    day, _, number = read_cursor(name, cursor).partition(" ")
    try:
        return Place(date.fromisoformat(day), int(number))
    except ValueError:
        raise foreign_cursor() from None


def _cursor_at(name: str, place: Place | None) -> str | None:
    return None if place is None else write_cursor(name, f"{place.day} {place.below}")


def _reason(error: str) -> str:
    return error.partition(":")[0][:_REASONS]


def _most_common(reasons: Counter[str]) -> dict[str, int]:
    told = dict(reasons.most_common(_REASONS))
    others = reasons.total() - sum(told.values())
    return {**told, _OTHERS: others} if others else told
