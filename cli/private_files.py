"""Files that keep keys, for their owner's eyes only."""

import os
import stat
import tempfile
from pathlib import Path

from cli.misuse import refuse
from cli.regular_files import open_regular


def read_private(path: Path) -> str | None:
    """What it holds; None where there is none. Raises Misuse where others can read it."""
    try:
        with open_regular(path) as file:
            _refuse_what_others_read(path, os.fstat(file.fileno()).st_mode)
            return file.read().decode()
    except FileNotFoundError:
        return None
    except OSError as error:
        refuse(f"{path} cannot be read: {error.strerror}")
    except UnicodeDecodeError:
        refuse(f"{path} is not UTF-8")


def write_private(path: Path, text: str) -> None:
    """Replace the file at once: a crash leaves the old one or the new one. Raises Misuse."""
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        # Made with 0600, whatever the umask.
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f"{path.name}-", suffix=".new")
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
        Path(name).replace(path)
    except OSError as error:
        refuse(f"{path} cannot be written: {error.strerror}")


def _refuse_what_others_read(path: Path, mode: int) -> None:
    if os.name == "posix" and mode & (stat.S_IRWXG | stat.S_IRWXO):
        refuse(f"{path} is open to others than its owner: run 'chmod 600 {path}'")
