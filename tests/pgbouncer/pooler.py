"""PgBouncer before a database server, set as Azure sets the one it has on port 6432."""

import os
import subprocess
import time
from pathlib import Path
from urllib.parse import unquote, urlsplit

import psutil
import psycopg

from devhost.stack.operating_system import let_traverse, server_account
from devhost.stack.ports import LOOPBACK, free_port
from devhost.stack.processes import end_process
from tests.pgbouncer.program import Program

SERVER_CONNECTIONS = 10
_START_SECONDS = 30

# Whoever logs in proves the password by SCRAM, and PgBouncer passes the proof on: it looks the
# secret up in the database and has no list of users but for who may look.
_SETTINGS = """
[databases]
* = host={host} port={server_port}

[pgbouncer]
listen_addr = {host}
listen_port = {port}
unix_socket_dir =
logfile = {directory}/pgbouncer.log
auth_type = scram-sha-256
auth_file = {directory}/users.txt
auth_user = {administrator}
admin_users = {administrator}
pool_mode = transaction
default_pool_size = {server_connections}
max_client_conn = 5000
query_wait_timeout = 20
; After a failed attempt it waits so long for the next one; 15 by itself.
server_login_retry = 1
"""


class PgBouncer:
    """In transaction mode: a server's connection is a client's for one transaction.

    Each user has at most `SERVER_CONNECTIONS` of them to a database. Listens on 127.0.0.1 only.
    `server` is the URL of an administrator, who may look passwords up.
    """

    def __init__(self, program: Program, server: str, directory: Path) -> None:
        self.port = free_port()
        self._program = program
        self._server = urlsplit(server)
        self._directory = directory.absolute()
        self._account = server_account()  # it refuses to run as root
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start, and wait until it lets somebody in."""
        self._write_files()
        self._process = subprocess.Popen(
            [self._program.path, self._directory / "pgbouncer.ini"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,  # it has a log
            user=self._account.pw_uid if self._account else None,
            group=self._account.pw_gid if self._account else None,
            extra_groups=[] if self._account else None,
            cwd=self._directory,
            env=os.environ | self._program.environment,
        )
        deadline = time.monotonic() + _START_SECONDS
        while not self._answers():
            assert time.monotonic() < deadline, self.log
            assert self._process.poll() is None, self.log
            time.sleep(0.02)

    def stop(self) -> None:
        if self._process is not None:
            end_process(psutil.Process(self._process.pid))
            self._process.wait()

    @property
    def log(self) -> str:
        """What it had to say since it was first started."""
        path = self._directory / "pgbouncer.log"
        return path.read_text() if path.exists() else "nothing"

    @property
    def console(self) -> str:
        """URL of its own database, where it tells of itself."""
        user = self._server.netloc.rpartition("@")[0]
        return f"postgresql://{user}@{LOOPBACK}:{self.port}/pgbouncer"

    def _answers(self) -> bool:
        try:
            with psycopg.connect(self.console, autocommit=True) as connection:
                connection.execute("SHOW VERSION")
        except psycopg.OperationalError:
            return False
        return True

    def _write_files(self) -> None:
        self._directory.mkdir(parents=True, exist_ok=True)
        settings = self._directory / "pgbouncer.ini"
        settings.write_text(
            _SETTINGS.format(
                host=LOOPBACK,
                port=self.port,
                server_port=self._server.port,
                directory=self._directory,
                administrator=self._server.username,
                server_connections=SERVER_CONNECTIONS,
            )
        )
        users = self._directory / "users.txt"
        users.touch(mode=0o600)
        users.write_text(f'"{self._server.username}" "{unquote(self._server.password or "")}"\n')
        if self._account is not None:
            for path in (users, self._program.path):
                let_traverse(path)
            for path in (self._directory, settings, users):
                os.chown(path, self._account.pw_uid, self._account.pw_gid)
