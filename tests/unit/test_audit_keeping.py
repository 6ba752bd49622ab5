"""How long months of the audit trail are kept, by the calendar."""

from datetime import UTC, date, datetime, timedelta, timezone

import pytest

from shared.models.audit_retention import KeepingTime, export_path


@pytest.mark.parametrize(
    ("months", "now", "last_day"),
    [
        (1, datetime(2030, 3, 1, tzinfo=UTC), date(2030, 1, 31)),
        (1, datetime(2030, 3, 31, 23, 59, tzinfo=UTC), date(2030, 1, 31)),
        (2, datetime(2030, 3, 31, tzinfo=UTC), date(2029, 12, 31)),
        (3, datetime(2030, 3, 31, tzinfo=UTC), date(2029, 11, 30)),
        (12, datetime(2028, 3, 15, tzinfo=UTC), date(2027, 2, 28)),
        (1200, datetime(2030, 12, 31, tzinfo=UTC), date(1930, 11, 30)),
        (1, datetime(2030, 3, 1, 1, tzinfo=timezone(timedelta(hours=2))), date(2029, 12, 31)),
    ],
)
def test_so_many_whole_months_are_kept_beside_the_present_one(
    months: int, now: datetime, last_day: date
) -> None:
    assert KeepingTime(1, months).last_day(now) == last_day


def test_without_a_number_all_are_kept() -> None:
    assert KeepingTime(1, None).last_day(datetime(2030, 1, 1, tzinfo=UTC)) is None


def test_the_least_age_counts_from_the_end_of_the_day() -> None:
    keeping, last = KeepingTime(365, 1), date(2030, 1, 31)
    a_moment = timedelta(microseconds=1)
    over = datetime(2031, 2, 1, tzinfo=UTC)
    assert keeping.is_over(last, over)
    assert not keeping.is_over(last, over - a_moment)


def test_names_of_exports_are_in_the_order_of_months() -> None:
    assert export_path(date(2030, 1, 1)) == "2030/2030-01.jsonl.gz"
