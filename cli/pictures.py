"""Files that commands draw into."""

from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from cli.misuse import refuse

_PICTURES = {".svg", ".png"}


@contextmanager
def drawing_into(file: Path) -> Generator[None]:
    """Whatever draws; raises Misuse where it cannot, for a wrong name before anything is done."""
    if file.suffix not in _PICTURES:
        refuse("the name of a picture ends in .svg or .png")
    try:
        yield
    except ModuleNotFoundError:
        refuse("a picture needs matplotlib: install the extra 'plots'")
    except OSError as error:
        refuse(f"{file} cannot be written: {error.strerror}")
