"""Bad messages among good ones: each set aside at once, with its reason; none tried again."""

import json
import random
from collections import Counter
from collections.abc import Callable, Sequence

import pytest

from shared.services.ingestion import IngestionService
from tests.faults.bad_messages import BadMessage, bad_messages
from tests.faults.bad_registrations import STANDING, bad_registrations
from tests.faults.conftest import Tally
from tests.faults.places import Place
from tests.faults.registered import Rows, assert_holds, assert_whole, hash_of, set_aside
from tests.faults.sizes import sized
from tests.faults.worker import Take, Worker, taking_events, taking_registrations, working
from tests.integration.messages import ORIGIN, event
from tests.integration.uploads import Uploads

SIZES = sized((100, 60), (1000, 200))


def take_all(
    place: Place, messages: Sequence[str], taking: Callable[[IngestionService, Place], Take]
) -> Worker:
    """Send them in any order, and have a worker take them until none is left."""
    shuffled = random.Random(len(messages)).sample(messages, len(messages))  # noqa: S311 - likewise
    with (
        place.ingestion() as service,
        place.queue() as queue,
        working(place, taking(service, place)) as worker,
    ):
        for message in shuffled:
            queue.send_message(message)
        place.wait_until_drained(queue)
    return worker


def assert_set_aside(sql: Rows, wrong: Sequence[BadMessage]) -> None:
    """Each of them whole, with its reason, and nothing else."""
    kept = {bytes(row["body"]).decode(): row["reason"] for row in set_aside(sql)}
    assert kept == {message.body: message.reason for message in wrong}


@pytest.mark.parametrize(("good", "bad"), SIZES)
def test_bad_events_among_good_ones_are_set_aside_at_once_and_burn_no_retries(
    place: Place, uploads: Uploads, sql: Rows, tally: Tally, good: int, bad: int
) -> None:
    contents = {f"good/{number}": b"good %d" % number for number in range(good)}
    blobs = [uploads.put(name, content) for name, content in contents.items()]
    wrong = list(bad_messages(blobs[0], bad))
    right = [event(blob).decode() for blob in blobs]
    worker = take_all(place, [*right, *(message.body for message in wrong)], taking_events)
    assert_holds(sql, uploads.container, contents)
    assert_set_aside(sql, wrong)
    assert Counter(worker.deliveries.values()) == {1: good + bad}
    tally(good=good, bad=bad, deliveries=worker.deliveries.total())


@pytest.mark.parametrize(("good", "bad"), SIZES)
def test_bad_registrations_among_good_ones_are_set_aside_at_once_and_burn_no_retries(
    place: Place, uploads: Uploads, sql: Rows, tally: Tally, good: int, bad: int
) -> None:
    blob = uploads.put("a", b"of the blob")
    place_of_blob = {"storage_account": blob.account, "container": blob.container, "blob_path": "a"}
    register_standing(place)
    wrong = list(bad_registrations(blob, bad))
    right = [
        json.dumps(
            {"client_type": "sent", "client_refs": {"name": number}}
            | ({"content_hash": hash_of(b"%d" % number)} if number % 2 else place_of_blob)
        )
        for number in range(good)
    ]
    worker = take_all(place, [*right, *(message.body for message in wrong)], taking_registrations)
    assert_whole(sql)
    assert registered_as_sent(sql) == {
        number: hash_of(b"%d" % number if number % 2 else b"of the blob") for number in range(good)
    }
    assert_set_aside(sql, wrong)
    assert Counter(worker.deliveries.values()) == {1: good + bad}
    tally(good=good, bad=bad, deliveries=worker.deliveries.total())


def register_standing(place: Place) -> None:
    message = json.dumps({**STANDING, "content_hash": hash_of(b"standing")})
    with place.ingestion() as service:
        service.take_registration(place.name, message.encode(), ORIGIN)


def registered_as_sent(sql: Rows) -> dict[int, str]:
    """The hashes of the assets that were sent, by the number that each is named by."""
    rows = sql.execute(
        "SELECT client_refs, content_hash FROM registry.artifact_records"
        " WHERE client_type = 'sent' AND revision = 1 AND status = 'active'"
    ).fetchall()
    return {row["client_refs"]["name"]: row["content_hash"] for row in rows}
