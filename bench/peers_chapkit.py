"""chapkit's artifact service, as its documentation builds one, on SQLite in a file."""

import json
import os
from contextlib import ExitStack
from pathlib import Path

from bench.http_load import host_header, request_bytes
from bench.http_requests import Route, registration_body
from bench.http_servers import running_server
from bench.peer import Asked, Peer
from bench.peer_environment import peer_python
from devhost.stack.ports import LOOPBACK, free_port

_REQUIREMENTS = Path(__file__).with_name("peers-chapkit.txt")
_PYTHON = "3.13"
"""The oldest that it runs on."""
_SERVICE = """
import sys
import uvicorn
from chapkit import ArtifactHierarchy
from chapkit.api import ServiceBuilder, ServiceInfo

info = ServiceInfo(id="bench", display_name="bench")
hierarchy = ArtifactHierarchy(name="bench", level_labels={0: "raster"})
builder = ServiceBuilder(info=info).with_artifacts(hierarchy=hierarchy)
app = builder.with_database(f"sqlite+aiosqlite:///{sys.argv[2]}").build()
uvicorn.run(app, port=int(sys.argv[1]), access_log=False, log_level="warning")
"""


def start(directory: Path, running: ExitStack) -> Peer:
    """One worker process on an empty database; raises PeerMissing."""
    python = peer_python(_REQUIREMENTS, _PYTHON)
    port = free_port()
    command = [str(python), "-c", _SERVICE, str(port), str(directory / "chapkit.db")]
    url, log = f"http://{LOOPBACK}:{port}", directory / "chapkit.log"
    server = running.enter_context(running_server(command, url, os.environ, log))

    def make() -> bytes:
        """An artifact of its own, which holds what a registration of ours says."""
        body = json.dumps({"data": json.loads(registration_body())}).encode()
        return request_bytes("POST", "/api/v1/artifacts", host_header(url), body)

    asked = Asked(server, Route("POST /api/v1/artifacts", make, status=201))
    return Peer("chapkit", [asked], register_target=2.0)
