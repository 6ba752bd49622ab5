"""What a function leaves to the host as a fault is told, and whoever writes the trail woken."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from types import ModuleType
from typing import Any, NoReturn

import azure.functions as func
import psycopg
import pytest
from azure.functions.queue import QueueMessage
from azure.functions.timer import TimerRequest
from psycopg.rows import DictRow

from functions import blobs, hashing, policies, queues, scrub, timers
from shared import bootstrap
from shared.bootstrap import Registry
from shared.errors import DatabaseUnavailable, StorageUnavailable
from shared.services.trail_kick import TrailKick
from tests.integration.failing import OwnQueue
from tests.integration.http.test_functions import HostContext

Sql = psycopg.Connection[DictRow]
Takes = tuple[ModuleType, str, tuple[str, ...], str]
"""The function's module and name, what of the registry it calls, and the operation it is about."""

MESSAGES: list[Takes] = [
    (queues, "register_artifact", ("ingestion", "take_registration"), "artifact_creation"),
    (hashing, "hash_artifact", ("late_hashes", "take"), "content_hashed"),
    (policies, "act_on_artifacts", ("enforcement", "actions", "take"), "policy_run"),
]
TIMERS: list[Takes] = [
    (hashing, "send_hash_requests", ("late_hashes", "send_due"), "content_hashed"),
    (policies, "start_policy_runs", ("enforcement", "runs", "start_due"), "policy_run"),
    (policies, "advance_policy_runs", ("enforcement", "runs", "advance"), "policy_run"),
    (timers, "drain_poison_queues", ("poison_queues", "drain"), "message_set_aside"),
    (timers, "check_rehydrations", ("rehydration", "check_due"), "rehydrated"),
    (scrub, "scrub_artifacts", ("scrub", "begin"), "verified"),
]


class Context(HostContext):
    def __init__(self, function_name: str) -> None:
        self.function_name = function_name


class Nowhere(func.Out[Any]):
    def set(self, val: Any) -> NoReturn:
        raise AssertionError(val)

    def get(self) -> NoReturn:
        raise AssertionError


class Function:
    """A function whose work raises what a test says."""

    def __init__(self, registry: Registry, patch: pytest.MonkeyPatch) -> None:
        self._registry = registry
        self._patch = patch

    def run(self, takes: Takes, given: Any, fault: Exception, **outputs: Any) -> None:
        module, name, (*way, last), _ = takes
        owner: Any = self._registry
        for part in way:
            owner = getattr(owner, part)

        def fail(*_: object, **__: object) -> NoReturn:
            raise fault

        with self._patch.context() as patch:
            patch.setattr(owner, last, fail)
            patch.setattr(module, "registry", lambda: self._registry)
            function = getattr(module, name).build().get_user_function()
            with pytest.raises(type(fault)):
                function(given, context=Context(name), **outputs)


@pytest.fixture
def function(registry: Registry, monkeypatch: pytest.MonkeyPatch) -> Function:
    return Function(registry, monkeypatch)


def told(sql: Sql) -> list[DictRow]:
    return sql.execute(
        "SELECT * FROM registry.outbox WHERE NOT success ORDER BY position"
    ).fetchall()


def message() -> QueueMessage:
    return QueueMessage(id="id", body=b"{}", insertion_time=datetime(2026, 1, 1, tzinfo=UTC))


def given(takes: Takes) -> Any:
    return message() if takes in MESSAGES else TimerRequest()


def test_what_goes_to_the_host_is_told_unless_it_is_the_databases(
    function: Function, sql: Sql
) -> None:
    for count, takes in enumerate([*MESSAGES, *TIMERS]):
        function.run(takes, given(takes), DatabaseUnavailable())
        assert len(told(sql)) == 2 * count
        function.run(takes, given(takes), StorageUnavailable())
        function.run(takes, given(takes), ValueError("password=hunter2"))
        passing, unforeseen = told(sql)[2 * count :]
        assert passing["operation"] == takes[3]
        assert passing["error"].startswith("storage-unavailable: ")
        assert unforeseen["error"] == "internal-error: ValueError"
        assert passing["actor"] == f"function:{takes[1]}"
        assert passing["request_id"] == HostContext.invocation_id


def test_so_it_is_of_notices_of_blobs(function: Function, sql: Sql) -> None:
    takes = (queues, "blob_events", ("ingestion", "take_blob_events"), "artifact_creation")
    function.run(takes, message(), StorageUnavailable(), following=Nowhere())
    (event,) = told(sql)
    assert (event["operation"], event["actor"]) == ("artifact_creation", "function:blob_events")


def test_so_it_is_of_a_notice_that_cannot_be_handed_on(
    registry: Registry, sql: Sql, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Nameless:
        @property
        def account_name(self) -> NoReturn:
            raise ValueError

    monkeypatch.setattr(bootstrap, "registry", lambda: registry)
    hand_on = blobs.blob_uploaded.build().get_user_function()
    with pytest.raises(ValueError):  # noqa: PT011 - ours, above
        hand_on(Nameless(), events=Nowhere(), context=Context("blob_uploaded"))
    (event,) = told(sql)
    assert event["actor"] == "function:blob_uploaded"


def test_what_a_message_came_to_wakes_who_writes_the_trail_and_a_timer_does_not(
    registry: Registry, own_queue: OwnQueue, monkeypatch: pytest.MonkeyPatch
) -> None:
    def at_once(work: Callable[[], None]) -> None:
        work()

    kicking = replace(registry.audit, kick=TrailKick(own_queue, run=at_once))
    for module in (queues, timers):
        monkeypatch.setattr(module, "registry", lambda: replace(registry, audit=kicking))
    register = queues.register_artifact.build().get_user_function()
    register(message(), context=Context("register_artifact"))
    assert own_queue.waiting == 1
    look = timers.check_rehydrations.build().get_user_function()
    look(TimerRequest(), context=Context("check_rehydrations"))
    assert own_queue.waiting == 1
