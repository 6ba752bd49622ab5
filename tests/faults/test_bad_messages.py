"""Bad messages among good ones: each set aside at once, with its reason; none tried again."""

import random
from collections import Counter

import pytest

from tests.faults.bad_messages import bad_messages
from tests.faults.conftest import Tally
from tests.faults.places import Place
from tests.faults.registered import Rows, assert_holds, set_aside
from tests.faults.sizes import sized
from tests.faults.worker import taking_events, working
from tests.integration.messages import event
from tests.integration.uploads import Uploads


@pytest.mark.parametrize(("good", "bad"), sized((100, 60), (1000, 200)))
def test_bad_messages_among_good_ones_are_set_aside_at_once_and_burn_no_retries(
    place: Place, uploads: Uploads, sql: Rows, tally: Tally, good: int, bad: int
) -> None:
    contents = {f"good/{number}": b"good %d" % number for number in range(good)}
    blobs = [uploads.put(name, content) for name, content in contents.items()]
    wrong = list(bad_messages(blobs[0], bad))
    messages = [event(blob).decode() for blob in blobs] + [message.body for message in wrong]
    random.Random(bad).shuffle(messages)  # noqa: S311 - test data, no secret
    with (
        place.ingestion() as service,
        place.queue() as queue,
        working(place, taking_events(service, place)) as worker,
    ):
        for message in messages:
            queue.send_message(message)
        place.wait_until_drained(queue)
    assert_holds(sql, uploads.container, contents)
    kept = {bytes(row["body"]).decode(): row["reason"] for row in set_aside(sql)}
    assert kept == {message.body: message.reason for message in wrong}
    assert Counter(worker.deliveries.values()) == {1: good + bad}
    tally(good=good, bad=bad, deliveries=worker.deliveries.total())
