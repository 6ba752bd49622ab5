"""When a timer ran last and runs next: kept across restarts, and told to the function."""

import json
from dataclasses import dataclass
from datetime import UTC, datetime

from devhost.host.host_state import HostState
from devhost.host.schedules import Schedule

NEVER = datetime.min.replace(tzinfo=UTC)
"""The WebJobs SDK writes year 1 for a time that has not come."""


@dataclass(frozen=True)
class TimerStatus:
    """The three times of the WebJobs SDK's `ScheduleStatus`."""

    last: datetime
    next: datetime
    last_updated: datetime

    @classmethod
    def initial(cls, schedule: Schedule, now: datetime) -> "TimerStatus":
        """Of a timer that never ran."""
        return cls(NEVER, schedule.next_after(now), now)

    @classmethod
    def after_run(cls, schedule: Schedule, at: datetime) -> "TimerStatus":
        """Of a timer that ran at `at`, however the run ended."""
        return cls(at, schedule.next_after(at), at)

    def reconciled(self, schedule: Schedule, now: datetime) -> "TimerStatus":
        """This, or a fresh one when it was written under another schedule.

        A changed schedule is not past due: the missed times were those of the old one.
        """
        known = self.last if self.last > NEVER else self.last_updated
        expected = schedule.next_after(known if known > NEVER else now)
        if expected == self.next:
            return self
        if now > expected:
            return TimerStatus(NEVER, schedule.next_after(now), now)
        return TimerStatus(NEVER, expected, known)

    def to_json(self) -> dict[str, str]:
        return {
            "Last": self.last.isoformat(),
            "Next": self.next.isoformat(),
            "LastUpdated": self.last_updated.isoformat(),
        }


class TimerStatusStore:
    """The status blob of one timer: `timers/<host id>/<function>/status`."""

    def __init__(self, state: HostState, host_id: str, function_name: str) -> None:
        self._state = state
        self._path = f"timers/{host_id}/{function_name}/status"

    def load(self) -> TimerStatus | None:
        """None when there is none, or none that can be read."""
        content = self._state.read(self._path)
        if content is None:
            return None
        try:
            times = json.loads(content)
            return TimerStatus(
                *(datetime.fromisoformat(times[key]) for key in ("Last", "Next", "LastUpdated"))
            )
        except (ValueError, KeyError, TypeError):
            return None

    def save(self, status: TimerStatus) -> None:
        self._state.write(self._path, json.dumps(status.to_json()).encode())
