"""A worker killed at any point of the way loses nothing and leaves nothing half done."""

from collections import Counter

import pytest
from azure.storage.queue import QueueClient

from tests.faults.conftest import Tally
from tests.faults.killing import BLOB_BYTES, POINTS, work_until
from tests.faults.places import Place
from tests.faults.processes import die_at, workers
from tests.faults.registered import Rows, assert_holds, current, reasons
from tests.faults.sizes import sized
from tests.integration.uploads import Uploads


def put_and_announce(place: Place, queue: QueueClient, uploads: Uploads, name: str) -> bytes:
    content = name.encode().ljust(BLOB_BYTES, b".")
    place.announce(queue, uploads.put(name, content))
    return content


@pytest.mark.parametrize("times", sized((2,), (20,)))
def test_workers_killed_at_every_point_of_the_way_register_everything_once(
    place: Place, uploads: Uploads, sql: Rows, tally: Tally, times: int
) -> None:
    contents: dict[str, bytes] = {}
    with place.queue() as queue:
        for turn in range(times):
            for point in POINTS:
                # One that no dead worker holds, so that this one is sure to come to its point.
                name = f"{turn}/{point}"
                contents[name] = put_and_announce(place, queue, uploads, name)
                die_at(point, work_until, place)
        left = len(contents) - len(current(sql, uploads.container))
        assert left > 0, "the kills were meant to interrupt"
        with workers(place, 1):
            place.wait_until_drained(queue)
    assert_holds(sql, uploads.container, contents)
    revisions = sql.execute("SELECT revision FROM registry.artifacts").fetchall()
    assert Counter(row["revision"] for row in revisions) == {1: len(contents)}
    assert reasons(sql) == []
    tally(points=len(POINTS), kills=len(POINTS) * times, left_undone=left)
