"""The log: each line of ours is a constant event with its facts, for people and for machines."""

import ast
import logging
from collections.abc import Iterator
from pathlib import Path

import pytest

from shared.storage.logs import quiet_request_logs
from shared.telemetry.logs import MESSAGE, add_facts

PROJECT = Path(__file__).parents[2]
FILES = sorted(
    file for folder in ("functions", "shared") for file in (PROJECT / folder).rglob("*.py")
)
LEVELS = {"debug", "info", "warning", "error", "exception", "critical", "log"}
NOISY = "azure.core.pipeline.policies.http_logging_policy"


@pytest.fixture
def with_facts(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    before = logging.getLogRecordFactory()
    add_facts()
    yield
    logging.setLogRecordFactory(before)


def messages_in(source: str) -> Iterator[ast.expr]:
    """What is logged, of every call of a module's `_LOGGER`."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            owner = node.func.value
            if isinstance(owner, ast.Name) and owner.id == "_LOGGER" and node.func.attr in LEVELS:
                yield node.args[0]


def test_every_line_is_a_constant_event_and_named_facts() -> None:
    told = [
        (file.name, message)
        for file in FILES
        for message in messages_in(file.read_text(encoding="utf-8"))
    ]
    assert len(told) > 10
    for name, message in told:
        assert isinstance(message, ast.Constant), name
        assert MESSAGE.fullmatch(str(message.value)), (name, message.value)


@pytest.mark.usefixtures("with_facts")
def test_a_record_of_ours_has_its_event_and_facts_as_attributes(
    caplog: pytest.LogCaptureFixture,
) -> None:
    logging.getLogger("shared.services.any").warning("blob seen: size_bytes=%d by=%s", 7, PROJECT)
    (record,) = caplog.records
    assert record.getMessage() == f"blob seen: size_bytes=7 by={PROJECT}"
    told = {name: fact for name, fact in vars(record).items() if name.startswith("registry.")}
    assert told == {
        "registry.event": "blob seen",
        "registry.size_bytes": 7,
        "registry.by": str(PROJECT),
    }


@pytest.mark.usefixtures("with_facts")
def test_what_others_log_stays_as_it_is(caplog: pytest.LogCaptureFixture) -> None:
    logging.getLogger("another.library").warning("a=%s", {"b": 1})
    (record,) = caplog.records
    assert not [name for name in vars(record) if name.startswith("registry.")]


def test_requests_of_the_sdk_are_not_logged(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(logging.getLogger(NOISY), "level", logging.INFO)
    quiet_request_logs()
    assert not logging.getLogger(NOISY).isEnabledFor(logging.INFO)
