"""Files that hold bytes: a pipe or a device would be waited for, or do something when read."""

import os
import stat
from pathlib import Path
from typing import BinaryIO

from cli.misuse import refuse

_AT_ONCE = getattr(os, "O_NONBLOCK", 0)
"""A pipe that nobody writes into is opened as well, instead of waited for."""


def open_regular(path: Path) -> BinaryIO:
    """Open a file to be read. Raises Misuse for what is no regular file, and OSError."""
    file = open(path, "rb", opener=lambda name, flags: os.open(name, flags | _AT_ONCE))  # noqa: SIM115 - the caller's
    if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
        file.close()
        refuse(f"{path} is no regular file")
    return file
