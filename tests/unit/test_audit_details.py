"""Whatever details an event has, the trail can keep it, and read it again."""

import hashlib
import json
from datetime import UTC, datetime
from uuid import uuid4

import pytest

from shared.models.audit import NO_HASH, AuditEvent, KeptEvent, WrittenEvent


def kept(details: str) -> AuditEvent:
    """The event as it is read from what was kept of it."""
    now = datetime.now(UTC)
    nothing = (None, None, None, None)
    written = WrittenEvent(
        1,
        1,
        uuid4(),
        now,
        "odd",
        None,
        "key:a",
        *nothing,
        success=True,
        error=None,
        details=details,
    )
    event = AuditEvent.of(written, number=1, recorded_at=now, previous=NO_HASH)
    return KeptEvent.read(event.canonical.decode()).event


def nested(levels: int) -> str:
    return '{"a":' * levels + "1" + "}" * levels


@pytest.mark.parametrize(
    ("number", "told"),
    [
        ("9007199254740991", 2**53 - 1),
        ("-9007199254740992", "-9007199254740992"),
        ("1" + "0" * 5000, "1" + "0" * 5000),
        ("0.5", 0.5),
        ("0." + "0" * 5000 + "1", "1E-5001"),
    ],
    ids=["largest", "larger", "long", "fraction", "small"],
)
def test_numbers_that_readers_of_json_differ_on_are_told_as_text(number: str, told: object) -> None:
    assert kept(f'{{"number": {number}}}').details == {"number": told}


@pytest.mark.parametrize("levels", [150, 151, 205, 300, 5000])
def test_details_that_nest_too_deep_are_left_out_and_told_by_their_hash(levels: int) -> None:
    details = nested(levels)
    left_out = {
        "left_out_bytes": len(details),
        "left_out_sha256": hashlib.sha256(details.encode()).hexdigest(),
    }
    assert kept(details).details == (json.loads(details) if levels == 150 else left_out)
