"""What identities need: who gives tokens out, and services that ask for them over https."""

import json
import threading
import time
from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_address
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import jwt
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from devhost.stack.azurite import ACCOUNT, Azurite
from devhost.stack.ports import LOOPBACK
from shared.identity import Identity
from shared.storage.account import Account, blob_service
from shared.storage_settings import StorageSettings
from tests.integration.uploads import Uploads

STORAGE = "https://storage.azure.com"
DATABASES = "https://ossrdbms-aad.database.windows.net"
CLIENT_ID = "5e1f0ad5-0000-4000-8000-00000000c0de"
_SECONDS = 3600


def token(audience: str) -> str:
    """Signed by a key of our own: Azurite looks at what a token says, and not at who signed it."""
    now = int(time.time())
    claims = {
        "aud": audience,
        "iss": "https://sts.windows.net/11111111-1111-4111-8111-111111111111/",
        "iat": now,
        "nbf": now - 60,
        "exp": now + _SECONDS,
        "jti": str(time.monotonic_ns()),
    }
    return jwt.encode(claims, "any key of thirty-two bytes or more", "HS256")


class TokenGiver(ThreadingHTTPServer):
    """The endpoint that App Service and Functions give a managed identity."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__((LOOPBACK, 0), _Answering)
        self.asked: list[str] = []
        """What tokens were wanted for."""
        self.clients: set[str] = set()
        self.given: list[str] = []
        self.refuses = False
        self.tell: Callable[[str], object] = len
        """Called with each token for a database before anybody has it."""

    @property
    def environment(self) -> dict[str, str]:
        """What the platform tells a process."""
        return {
            "IDENTITY_ENDPOINT": f"http://{LOOPBACK}:{self.server_address[1]}/msi/token",
            "IDENTITY_HEADER": "secret-of-the-platform",
            "AZURE_CLIENT_ID": CLIENT_ID,
            "AZURE_TOKEN_CREDENTIALS": "prod",
        }


class _Answering(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        giver = self.server
        assert isinstance(giver, TokenGiver)
        asked = parse_qs(urlsplit(self.path).query)
        is_ours = self.headers.get("X-IDENTITY-HEADER") == giver.environment["IDENTITY_HEADER"]
        if giver.refuses or not is_ours:
            self._answer(400, {"statusCode": 400, "message": "No managed identity"})
            return
        giver.asked += asked["resource"]
        giver.clients |= set(asked["client_id"])
        giver.given.append(token(asked["resource"][0]))
        if asked["resource"] == [DATABASES]:
            giver.tell(giver.given[-1])
        expires = str(int(time.time()) + _SECONDS)
        answer = {"access_token": giver.given[-1], "expires_on": expires, "token_type": "Bearer"}
        self._answer(200, answer | {"resource": asked["resource"][0]})

    def _answer(self, status: int, body: Mapping[str, object]) -> None:
        content = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - http.server's name
        pass


@contextmanager
def giving_tokens() -> Generator[TokenGiver]:
    with TokenGiver() as giver:
        thread = threading.Thread(target=giver.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield giver
        finally:
            giver.shutdown()
            thread.join()


def certify(directory: Path, name: str = "localhost") -> tuple[Path, Path]:
    """A certificate that signs itself, for a name and for this machine, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    names = [x509.DNSName(name), x509.IPAddress(ip_address(LOOPBACK))]
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder(subject, subject, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(minutes=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    certificate, private = directory / "server.pem", directory / "server.key"
    certificate.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    private.touch(mode=0o600)
    private.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return certificate, private


class TokenAzurite(Azurite):
    """An emulator over https that takes tokens: it looks at audience, issuer and times."""

    def __init__(self, directory: Path) -> None:
        super().__init__(directory, in_memory=True)
        directory.mkdir(parents=True)
        self.certificate, self._key = certify(directory)

    def uris(self, prefix: str) -> dict[str, str]:
        """As settings say them whose names begin so."""
        services = zip(("blob", "queue", "table"), self.ports, strict=True)
        return {
            f"{prefix}__{service}ServiceUri": f"https://{LOOPBACK}:{port}/{ACCOUNT}/"
            for service, port in services
        }

    def _command(self) -> list[str]:
        secured = ["--oauth", "basic", "--cert", str(self.certificate), "--key", str(self._key)]
        return [*super()._command(), *secured]


@pytest.fixture(scope="module")
def emulator(session_directory: Path) -> Iterator[TokenAzurite]:
    started = TokenAzurite(session_directory / f"token-azurite-{time.monotonic_ns()}")
    started.start()
    yield started
    started.stop()


@pytest.fixture
def giver(monkeypatch: pytest.MonkeyPatch, emulator: TokenAzurite) -> Iterator[TokenGiver]:
    """This process is a function app with a managed identity, and trusts the emulator."""
    with giving_tokens() as giver:
        said = giver.environment | {"REQUESTS_CA_BUNDLE": str(emulator.certificate)}
        for name, value in said.items():
            monkeypatch.setenv(name, value)
        yield giver


@pytest.fixture
def account(giver: TokenGiver, emulator: TokenAzurite) -> Account:
    return StorageSettings.model_validate(emulator.uris("storage")).account(Identity())


@pytest.fixture
def uploads(account: Account, unique_name: str) -> Iterator[Uploads]:
    """Into a container of that account."""
    with blob_service(account) as service:
        uploads = Uploads(service, unique_name)
        uploads.container.create_container()
        yield uploads
