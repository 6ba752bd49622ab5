"""NCRONTAB, where it differs from other crons."""

from datetime import UTC, datetime, timedelta

import pytest

from devhost.host.errors import FunctionLoadError
from devhost.host.schedules import is_sub_minute, parse_schedule

FRIDAY = datetime(2026, 11, 20, 10, 0, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("0 */5 * * * *", datetime(2026, 11, 20, 10, 5, tzinfo=UTC)),
        ("30 * * * * *", datetime(2026, 11, 20, 10, 0, 30, tzinfo=UTC)),
        ("*/10 * * * * *", datetime(2026, 11, 20, 10, 0, 10, tzinfo=UTC)),
        ("0 30 9 * * *", datetime(2026, 11, 21, 9, 30, tzinfo=UTC)),
        ("*/5 * * * *", datetime(2026, 11, 20, 10, 5, tzinfo=UTC)),
        ("0 0 12 * * 0", datetime(2026, 11, 22, 12, 0, tzinfo=UTC)),
        ("0 0 12 * * 6", datetime(2026, 11, 21, 12, 0, tzinfo=UTC)),
        ("0 0 12 * * Mon-Fri", datetime(2026, 11, 20, 12, 0, tzinfo=UTC)),
        ("0 0 0 1 Jan *", datetime(2027, 1, 1, tzinfo=UTC)),
        ("0 0 0 13 * 5", datetime(2027, 8, 13, tzinfo=UTC)),
        ("0 0 0 29 2 *", datetime(2028, 2, 29, tzinfo=UTC)),
        ("0 15,45 10-11 * * *", datetime(2026, 11, 20, 10, 15, tzinfo=UTC)),
        ("00:05:00", datetime(2026, 11, 20, 10, 5, tzinfo=UTC)),
        ("1.00:00:00", datetime(2026, 11, 21, 10, 0, tzinfo=UTC)),
    ],
)
def test_the_next_time_due(expression: str, expected: datetime) -> None:
    assert parse_schedule(expression, FRIDAY).next_after(FRIDAY) == expected


def test_the_next_time_is_later_than_now_even_within_a_second() -> None:
    schedule = parse_schedule("0 * * * * *", FRIDAY)
    just_after = FRIDAY + timedelta(microseconds=1)
    assert schedule.next_after(just_after) == FRIDAY + timedelta(minutes=1)
    assert schedule.next_after(FRIDAY - timedelta(microseconds=1)) == FRIDAY


@pytest.mark.parametrize(
    "expression",
    [
        "",
        "* * *",
        "0 0 0 L * *",
        "0 0 0 ? * 5",
        "0 0 0 * * 5#2",
        "H * * * * *",
        "@daily",
        "0 0 12 * * 7",
        "61 * * * * *",
        "0 0 0 31 2 *",
        "0 */5 * * * * 2026",
        "00:00:00",
        "every day",
    ],
)
def test_what_the_real_host_would_not_accept_is_refused(expression: str) -> None:
    with pytest.raises(FunctionLoadError):
        parse_schedule(expression, FRIDAY)


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("*/30 * * * * *", True),
        ("0,1 0 0 * * *", False),
        ("0 * * * * *", False),
        ("00:00:30", True),
        ("00:01:00", False),
    ],
)
def test_sub_minute_means_twice_within_the_next_minute(expression: str, expected: bool) -> None:
    assert is_sub_minute(parse_schedule(expression, FRIDAY), FRIDAY) is expected
