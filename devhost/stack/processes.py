"""Processes of the stack: written down, recognised again, ended with patience."""

import time

import psutil
from pydantic import BaseModel, ConfigDict

STOP_SECONDS = 10.0


class ProcessRecord(BaseModel):
    """A process as it can be written down and found again.

    A pid alone may belong to another program after a crash or a reboot; together with start
    time and command line it cannot.
    """

    model_config = ConfigDict(frozen=True)

    pid: int
    started: float
    """Seconds since the epoch, as `psutil.Process.create_time` gives them."""
    command: list[str]

    @classmethod
    def of(cls, pid: int) -> "ProcessRecord":
        """Raises `psutil.NoSuchProcess` when the process has already ended."""
        process = psutil.Process(pid)
        return cls(pid=pid, started=process.create_time(), command=_command(process))

    def find(self) -> psutil.Process | None:
        """The process, when it is still the one that was written down."""
        try:
            process = psutil.Process(self.pid)
            moved = abs(process.create_time() - self.started)
            same = process.cmdline() == self.command
        except (psutil.NoSuchProcess, psutil.AccessDenied):
            return None
        return process if same and moved < 1.0 else None  # the clock may have been corrected


def _command(process: psutil.Process) -> list[str]:
    """Linux tells none for a moment, while a process that was just started becomes its program."""
    while not (command := process.cmdline()):
        time.sleep(0.001)
    return command


def end_process(process: psutil.Process, patience: float = STOP_SECONDS) -> None:
    """Ask the process to stop; kill it when it has not stopped after `patience` seconds."""
    try:
        process.terminate()
        if not _ends_within(patience, process):
            process.kill()
            _ends_within(patience, process)
    except psutil.NoSuchProcess:
        return


def has_ended(process: psutil.Process) -> bool:
    """Also when nobody collects it: in a container an orphan may stay a zombie for ever.

    A zombie whose other threads still end has its files open, and listens on its port.
    """
    try:
        return process.status() == psutil.STATUS_ZOMBIE and process.num_threads() <= 1
    except psutil.NoSuchProcess:
        return True


def _ends_within(seconds: float, process: psutil.Process) -> bool:
    deadline = time.monotonic() + seconds
    while not has_ended(process):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True
