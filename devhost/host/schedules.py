"""Timer schedules: NCRONTAB expressions and time spans, in UTC."""

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from croniter import CroniterBadCronError, CroniterBadDateError, croniter

from devhost.host.errors import FunctionLoadError
from devhost.host.host_config import parse_time_span

# Only what NCRONTAB knows: croniter's own additions (L, W, #, ?, H, R, @daily) are refused, as the
# real host would.
_VALUE = r"(?:\d+|[A-Za-z]{3})"
_TERM = rf"(?:\*|{_VALUE}(?:-{_VALUE})?)(?:/\d+)?"
_FIELD = re.compile(rf"{_TERM}(?:,{_TERM})*")
_SUNDAY_AS_SEVEN = re.compile(r"(?<![\d/])7(?!\d)")
SUB_MINUTE = timedelta(minutes=1)


class Schedule(Protocol):
    """When a timer is due."""

    def next_after(self, instant: datetime) -> datetime:
        """The first time due that is later than `instant`."""
        ...


@dataclass(frozen=True)
class CronSchedule:
    """Six fields: second, minute, hour, day of month, month, day of week (0 is Sunday).

    A day must match both the day of month and the day of week, as in NCRONTAB and unlike in cron.
    """

    expression: str

    def next_after(self, instant: datetime) -> datetime:
        following = croniter(
            self.expression, instant, ret_type=datetime, day_or=False, second_at_beginning=True
        )
        return following.get_next()


@dataclass(frozen=True)
class ConstantSchedule:
    """A fixed time after the last run."""

    period: timedelta

    def next_after(self, instant: datetime) -> datetime:
        return instant + self.period


def parse_schedule(text: str, now: datetime) -> Schedule:
    """NCRONTAB with six fields, or five (then at second 0), or a time span such as `00:05:00`.

    Raises `FunctionLoadError` for anything else, and for a schedule that is never due after `now`.
    """
    fields = text.split()
    if len(fields) == 1:
        return _constant_schedule(text)
    if len(fields) == 5:
        fields = ["0", *fields]
    if len(fields) != 6 or not all(_FIELD.fullmatch(field) for field in fields):
        raise FunctionLoadError(f"schedule {text!r} is not an NCRONTAB expression")
    if _SUNDAY_AS_SEVEN.search(fields[5]):
        raise FunctionLoadError(f"schedule {text!r}: Sunday is 0 in NCRONTAB, there is no day 7")
    schedule = CronSchedule(" ".join(fields))
    try:
        schedule.next_after(now)
    except (CroniterBadCronError, CroniterBadDateError) as fault:
        raise FunctionLoadError(f"schedule {text!r}: {fault}") from fault
    return schedule


def _constant_schedule(text: str) -> ConstantSchedule:
    try:
        period = parse_time_span(text)
    except ValueError as fault:
        raise FunctionLoadError(f"schedule: {fault}") from fault
    if period <= timedelta(0):
        raise FunctionLoadError(f"schedule {text!r} is no time at all")
    return ConstantSchedule(period)


def is_sub_minute(schedule: Schedule, now: datetime) -> bool:
    """Whether it is due twice within the next minute: such a timer keeps no status."""
    second = schedule.next_after(schedule.next_after(now))
    return second <= now + SUB_MINUTE
