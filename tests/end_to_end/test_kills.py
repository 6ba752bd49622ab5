"""A worker that is killed in the middle of its work loses nothing and does nothing twice."""

from concurrent.futures import ThreadPoolExecutor
from functools import partial

import pytest

from devhost.stack.azurite import Azurite
from tests.end_to_end.conftest import RunApp
from tests.end_to_end.ground import Ground
from tests.end_to_end.later import restart_later
from tests.end_to_end.notices import event_grid, plain
from tests.end_to_end.waiting import wait_for

EVENTS = 200
KILLED_AT = (20, 45, 70)
"""Registered by then. A killed worker takes up to 24 messages with it: there is always more."""


@pytest.mark.long  # workers of their own are killed at every point in tests/faults
def test_workers_killed_while_they_register_lose_nothing(
    run_app: RunApp, database_url: str, own_azurite: Azurite
) -> None:
    with run_app(database_url, own_azurite) as (app, ground):
        app.kill()
        with ThreadPoolExecutor(8) as senders:
            list(senders.map(partial(send, ground), range(EVENTS)))
        for registered in KILLED_AT:
            app.start()
            wait_for("registrations", partial(has_registered, ground, registered))
            app.kill()
            assert not has_registered(ground, EVENTS), "the kill was meant to interrupt"
        app.start()
        wait_for("the messages that nobody has", lambda: not ground.events.peek_messages())
        assert app.stop() == 0
        assert ground.waiting() > 0, "the killed workers took messages with them"
        restart_later(own_azurite)
        app.start()
        ground.wait_until_drained()
        expected = {str(number): [1] for number in range(EVENTS)}
        assert ground.revisions(ground.others) == expected
        assert ground.poisoned() == 0
        assert ground.set_aside("") == []


def send(ground: Ground, number: int) -> None:
    ground.put(str(number), b"bytes of %d" % number)
    event = event_grid(ground.account, ground.others.container_name, str(number))
    ground.events.send_message(plain(event))


def has_registered(ground: Ground, least: int) -> bool:
    return len(ground.revisions(ground.others)) >= least
