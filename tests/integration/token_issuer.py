"""A token issuer on this machine: real keys, real tokens, and a server that publishes the keys."""

import json
import time
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from jwt.algorithms import RSAAlgorithm

ISSUER = "https://login.example/tenant/v2.0"
AUDIENCE = "6f1c1b0e-0000-4000-8000-000000000001"
OBJECT_ID = "0f0e0d0c-0000-4000-8000-000000000002"


@cache
def private_key(name: str) -> RSAPrivateKey:
    """A key pair, the same for the same name: making one takes a while."""
    del name
    return generate_private_key(public_exponent=65537, key_size=2048)


def published(key_id: str, **members: Any) -> dict[str, Any]:
    """The public key of this id as a JWK Set holds it, other members as given."""
    public: dict[str, Any] = RSAAlgorithm.to_jwk(private_key(key_id).public_key(), as_dict=True)
    return public | {"kid": key_id, "use": "sig", "alg": "RS256"} | members


def claims(**others: Any) -> dict[str, Any]:
    """Claims of a good token, others as given; what is given as None is left out."""
    now = int(time.time())
    told = {
        "iss": ISSUER,
        "aud": AUDIENCE,
        "iat": now,
        "nbf": now,
        "exp": now + 600,
        "oid": OBJECT_ID,
        "sub": "pairwise-subject",
        "roles": ["Registry.Read"],
        "preferred_username": "somebody@example.com",
        "name": "Some Body",
    }
    return {name: value for name, value in (told | others).items() if value is not None}


def token(
    key_id: str = "first",
    *,
    headers: Mapping[str, Any] | None = None,
    algorithm: str = "RS256",
    **others: Any,
) -> str:
    """A token signed with the key of this id."""
    named = {"kid": key_id} | dict(headers or {})
    return jwt.encode(claims(**others), private_key(key_id), algorithm, headers=named)


class TokenIssuer:
    """Publishes keys, and counts how often it is asked for them."""

    def __init__(self, url: str) -> None:
        self.keys_url = url
        self.requests = 0
        self.status = 200
        self.headers: dict[str, str] = {}
        self.document = b""
        self.publish("first")

    def publish(self, *key_ids: str) -> None:
        """These keys and no others."""
        self.document = json.dumps({"keys": [published(key_id) for key_id in key_ids]}).encode()


@contextmanager
def running_issuer() -> Generator[TokenIssuer]:
    """An issuer on a port of its own."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Publisher)
    host = f"127.0.0.1:{server.server_port}"
    issuer = _Publisher.issuers[host] = TokenIssuer(f"http://{host}/keys")
    thread = Thread(target=server.serve_forever, args=[0.01])
    thread.start()
    try:
        yield issuer
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
        del _Publisher.issuers[host]


class _Publisher(BaseHTTPRequestHandler):
    issuers: dict[str, TokenIssuer] = {}  # noqa: RUF012 - one for the class is what is meant

    def do_GET(self) -> None:
        issuer = self.issuers[self.headers["Host"]]
        issuer.requests += 1
        self.send_response(issuer.status)
        self.send_header("Content-Length", str(len(issuer.document)))
        for name, value in issuer.headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(issuer.document)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the library's name
        """Say nothing."""
