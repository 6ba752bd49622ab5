"""Saying what policies will do."""

import time
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Annotated

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError

from shared.database.pool import Database
from shared.models.cursors import foreign_cursor, name_list, read_cursor, write_cursor
from shared.models.policies import Policy, PolicyKind
from shared.models.policy_forecasts import ForecastDay, ForecastEntry, PolicyForecast
from shared.models.policy_previews import Place
from shared.repositories.policy_history import LONGEST_SECONDS, PolicyHistory, asked_briefly
from shared.services.asked import require_page
from shared.services.byte_history import require_days
from shared.services.policies import PolicyService

_STREAMS_AT_ONCE = 100
"""Most streams have little or nothing due; a page looks at several."""


class _Position(BaseModel):
    """Where a forecast goes on: a stream among those of all policies, and a place in it."""

    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)

    at: AwareDatetime
    stream: Annotated[int, Field(ge=0)] = 0
    place: Place | None = None


class PolicyForecasts:
    """Judges what will be due as policies will, by what is registered now. Changes nothing."""

    def __init__(
        self, database: Database, policies: PolicyService, clock: Callable[[], datetime]
    ) -> None:
        self._database = database
        self._policies = policies
        self._clock = clock

    def forecast(
        self, days: int = 90, *, limit: int = 1000, cursor: str | None = None
    ) -> PolicyForecast:
        """A page of what enabled policies will do in the next days; what is overdue comes today.

        Raises InvalidInput unless it is 1 to LONGEST_DAYS of them, for a limit outside 1 to
        MAXIMUM_PAGE, and for a cursor of other days, or of other policies than are enabled now;
        Retryable where so many take too long.
        """
        require_days(days)
        require_page(limit)
        policies = self._policies.enabled()
        name = name_list("forecast", days, [policy.as_json() for policy in policies])
        now = self._clock()
        begun = _Position(at=now) if cursor is None else _read(read_cursor(name, cursor), now)
        streams = [(policy, stream) for policy in policies for stream in policy.streams]
        page = _Page(begun, timedelta(days=days))
        ends = time.monotonic() + LONGEST_SECONDS
        with asked_briefly(self._database) as history:
            for policy, stream in streams[begun.stream : begun.stream + _STREAMS_AT_ONCE]:
                page.look(history, policy, stream, limit - page.looked_at)
                if page.looked_at >= limit or time.monotonic() > ends:
                    break
        is_last = page.ended.stream >= len(streams)
        return PolicyForecast(
            days=page.days(),
            looked_at=page.looked_at,
            next=None if is_last else write_cursor(name, page.ended.model_dump_json()),
        )


class _Page:
    """What was seen so far, and where it ended."""

    def __init__(self, begun: _Position, ahead: timedelta) -> None:
        self.ended = begun
        self.looked_at = 0
        self._until = begun.at + ahead
        self._kinds: dict[str, PolicyKind] = {}
        self._artifacts = Counter[tuple[date, str]]()
        self._bytes = Counter[tuple[date, str]]()

    def look(self, history: PolicyHistory, policy: Policy, stream: str, limit: int) -> None:
        """Look at the next of a stream; at its end, the next one is to be looked at."""
        at, place = self.ended.at, self.ended.place
        seen = history.forecast(policy, stream, at, self._until, place, limit)
        self.looked_at += len(seen)
        self._count(policy, seen)
        if len(seen) < limit:
            self.ended = _Position(at=at, stream=self.ended.stream + 1)
        else:
            behind = Place(seen[-1].clock_at, seen[-1].artifact_id)
            self.ended = _Position(at=at, stream=self.ended.stream, place=behind)

    def days(self) -> list[ForecastDay]:
        """What is to be done on each day, by each policy in their order."""
        by_day = sorted(self._artifacts, key=lambda counted: counted[0])
        return [
            ForecastDay(
                day=day,
                policy=name,
                kind=self._kinds[name],
                artifacts=self._artifacts[day, name],
                bytes=self._bytes[day, name],
            )
            for day, name in by_day
        ]

    def _count(self, policy: Policy, seen: Sequence[ForecastEntry]) -> None:
        self._kinds[policy.name] = policy.kind
        for each in seen:
            if each.acted_at is not None:
                day = each.acted_at.astimezone(UTC).date()
                self._artifacts[day, policy.name] += 1
                self._bytes[day, policy.name] += each.bytes or 0


def _read(text: str, now: datetime) -> _Position:
    try:
        position = _Position.model_validate_json(text)
    except ValidationError:
        raise foreign_cursor() from None
    if position.at > now:
        raise foreign_cursor()
    return position
