"""The unprivileged account that PostgreSQL needs when the stack itself runs as root."""

import os
import pwd
import stat
from pathlib import Path

UNPRIVILEGED = "nobody"


def server_account() -> pwd.struct_passwd | None:
    """The account to run PostgreSQL as; None when the present one will do.

    PostgreSQL refuses to run as root. `nobody` is on every machine, so none has to be made.
    """
    return pwd.getpwnam(UNPRIVILEGED) if os.geteuid() == 0 else None


def let_traverse(path: Path) -> None:
    """Allow everyone to pass through the folders above `path`, without reading them."""
    for folder in path.resolve().parents:
        mode = stat.S_IMODE(folder.stat().st_mode)
        if not mode & stat.S_IXOTH:
            folder.chmod(mode | stat.S_IXOTH)
