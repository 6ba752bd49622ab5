"""Processes are recognised after a crash, and end even when they would rather not."""

import subprocess
import sys
from collections.abc import Iterator

import psutil
import pytest

from devhost.stack.processes import ProcessRecord, end_process, has_ended

STUBBORN = (
    "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); print(flush=True); input()"
)


@pytest.fixture
def stubborn() -> Iterator[subprocess.Popen[bytes]]:
    """A program that takes no notice of SIGTERM, and that has said that it runs."""
    with subprocess.Popen(
        [sys.executable, "-c", STUBBORN], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        process.stdout.readline()
        yield process
        process.kill()


def test_a_program_that_ignores_the_request_is_killed(stubborn: subprocess.Popen[bytes]) -> None:
    end_process(psutil.Process(stubborn.pid), patience=0.2)
    assert stubborn.wait(60) == -9


def test_a_zombie_counts_as_ended(stubborn: subprocess.Popen[bytes]) -> None:
    process = psutil.Process(stubborn.pid)
    assert not has_ended(process)
    end_process(process, patience=0.2)  # nobody has waited for it, so it is a zombie now
    assert has_ended(process)
    assert ProcessRecord(pid=process.pid, started=process.create_time(), command=[]).find() is None


def test_a_recorded_process_is_found_again(stubborn: subprocess.Popen[bytes]) -> None:
    found = ProcessRecord.of(stubborn.pid).find()
    assert found is not None
    assert found.pid == stubborn.pid


@pytest.mark.parametrize("change", [{"started": 1.0}, {"command": ["another"]}])
def test_another_program_under_a_recorded_pid_is_not_taken_for_it(
    stubborn: subprocess.Popen[bytes], change: dict[str, object]
) -> None:
    record = ProcessRecord.of(stubborn.pid).model_copy(update=change)
    assert record.find() is None
