"""Two processes of the app on the same queues and database, as two pods of one deployment."""

import re
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Any

from azure.storage.queue import QueueClient

from devhost.stack.azurite import Azurite
from tests.end_to_end.conftest import RunApp
from tests.end_to_end.ground import Ground
from tests.end_to_end.notices import event_grid, plain
from tests.end_to_end.running_app import RunningApp
from tests.end_to_end.test_registrations import registration
from tests.end_to_end.waiting import wait_for

SHARED = {"blob_events", "register_artifact"}
TIMER = "start_policy_runs"
FUNCTIONS = [*sorted(SHARED), "admin", "audit_relay", "blob_uploaded", TIMER]
SETTINGS = {
    "REGISTRY_POLICY_SCHEDULE": "* * * * * *",
    "AzureFunctionsJobHost__logging__logLevel__default": "Debug",  # each run is told
    # As pods have a list of theirs, and few messages in hand, so that there are some for others.
    **{f"AzureFunctionsJobHost__functions__{at}": name for at, name in enumerate(FUNCTIONS)},
    "AzureFunctionsJobHost__extensions__queues__batchSize": "2",
}
BATCH = 6
MOST_BATCHES = 20
_RUN = re.compile(r"(\w+) succeeded, run ")
_LOST = re.compile(rf"Lock \S+/{TIMER}\.Listener was lost|A lock was not released")


def test_two_processes_share_the_work_and_do_none_of_it_twice(
    run_app: RunApp, database_url: str, azurite: Azurite, tmp_path: Path
) -> None:
    with run_app(database_url, azurite, SETTINGS) as (first, ground):
        settings = {**SETTINGS, "REGISTRY_KEY_PEPPER": first.pepper}
        name, log = f"test-{first.host_id}", tmp_path / "log"
        second = RunningApp(name, database_url, azurite.connection_string, log, settings)
        with closing(second):
            second.start()
            asked = share_work(ground, (first, second))
            wait_for("the timer", lambda: sum(runs(each)[TIMER] for each in (first, second)) > 1)
            tell_the_relays(azurite, f"{name}-audit")
            trail = wait_for("the whole trail", partial(whole_trail, first, asked))
            assert second.stop() == 0
        assert ground.poisoned() == 0
    assert ground.set_aside("") == []
    assert [event["number"] for event in trail] == list(range(len(trail), 0, -1))
    assert len({event["event_id"] for event in trail}) == len(trail)
    made = ground.rows("SELECT artifact_id::text, revision FROM registry.artifacts")
    assert [row["revision"] for row in made] == [1] * asked
    assert sorted(creations(trail)) == sorted(row["artifact_id"] for row in made)
    # The lease of 15 seconds passes on where a machine stands still for so long, and that is told.
    alone = 0 in (runs(first)[TIMER], runs(second)[TIMER])
    assert alone or _LOST.search(first.log + second.log)


def share_work(ground: Ground, apps: tuple[RunningApp, RunningApp]) -> int:
    """How many artifacts were asked for until both processes had taken messages of each kind."""
    for batch in range(1, MOST_BATCHES):
        with ThreadPoolExecutor(8) as senders:
            for sent in [senders.submit(each) for each in sendings(ground, batch)]:
                sent.result()
        asked = batch * BATCH * 3
        wait_for("uploads", lambda: sum(runs(each)["blob_uploaded"] for each in apps) >= asked // 3)  # noqa: B023 - waits here
        ground.wait_until_drained()
        wait_for("all of them", lambda: registered(ground) >= asked)  # noqa: B023 - likewise
        if all(runs(each).keys() >= SHARED for each in apps):
            return asked
    raise AssertionError("one of the processes takes no messages")


def sendings(ground: Ground, batch: int) -> list[Callable[[], object]]:
    """Of each message one more than is needed: the other process may take it at the same time."""
    found: list[Callable[[], object]] = []
    for number in range(BATCH):
        name = f"{batch}/{number}.tif"
        ground.put(name, name.encode())
        event = plain(event_grid(ground.account, ground.others.container_name, name))
        message = plain(registration())
        found += [partial(ground.uploads.upload_blob, name, name.encode())]
        found += [partial(ground.events.send_message, event)] * 2
        found += [partial(ground.messages.send_message, message)] * 2
    return found


def tell_the_relays(azurite: Azurite, name: str) -> None:
    """What the app says five seconds later: for each process, to move the same events at once."""
    with QueueClient.from_connection_string(azurite.connection_string, name) as queue:
        for _ in range(2):
            queue.send_message("changed")


def registered(ground: Ground) -> int:
    (row,) = ground.rows("SELECT count(*) AS artifacts FROM registry.artifacts")
    return int(row["artifacts"])


def runs(app: RunningApp) -> Counter[str]:
    """How often the process has run each function."""
    return Counter(_RUN.findall(app.log))


def whole_trail(app: RunningApp, created: int) -> list[dict[str, Any]] | None:
    """Every event, newest first; None while creations are on their way."""
    answer = app.get("/api/admin/audit", key=app.key("admin"), limit="1000")
    assert answer.status_code == 200, answer.text
    events: list[dict[str, Any]] = answer.json()["events"]
    assert answer.json()["next"] is None
    return events if len(creations(events)) >= created else None


def creations(events: list[dict[str, Any]]) -> list[str]:
    return [each["artifact_id"] for each in events if each["operation"] == "artifact_creation"]
