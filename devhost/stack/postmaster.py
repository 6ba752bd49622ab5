"""Whether a PostgreSQL server runs on a data directory, as its `postmaster.pid` tells."""

from pathlib import Path

import psutil


def running_postmaster(data: Path) -> psutil.Process | None:
    """The server of `data`; None when the pid file is missing, stale or of another program.

    The file's first line is the pid, as the PostgreSQL sources (miscadmin.h) lay down.
    """
    try:
        pid = int((data / "postmaster.pid").read_text().split("\n")[0])
        process = psutil.Process(pid)
        ours = process.name() == "postgres" and str(data) in process.cmdline()
    except (FileNotFoundError, ValueError, psutil.NoSuchProcess):
        return None
    return process if ours else None
