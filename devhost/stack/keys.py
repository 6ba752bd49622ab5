"""The API keys of the local stack: made once, and again when the database knows them no more."""

import secrets
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from http import HTTPStatus
from pathlib import Path

import httpx
from pydantic import BaseModel, ValidationError

from devhost.stack.directory import write_private

SCOPES = {"admin": "read,write,admin", "write": "read,write", "read": "read"}
"""Name of each key → the scopes it gets."""

_NOBODY = "/api/admin/artifacts/00000000-0000-0000-0000-000000000000"
"""A page that needs a key of any scope and that finds nothing."""


class KeyRing(BaseModel):
    """The keys in clear text; they open a stack on this machine only."""

    admin: str
    write: str
    read: str


def read_or_make_pepper(path: Path) -> str:
    """The secret under which the app hashes keys; a new random one the first time."""
    if not path.exists():
        write_private(path, secrets.token_urlsafe(48))
    return path.read_text()


def load_or_make_keys(path: Path, api_url: str, make_key: Callable[[str, str], str]) -> KeyRing:
    """The keys kept in `path` when the app accepts them, else new ones from `make_key`.

    `make_key` takes a name and scopes, and returns the key.
    """
    kept = _read(path)
    if kept is not None and _all_accepted(api_url, kept):
        return kept
    with ThreadPoolExecutor() as pool:  # each call starts a program, which takes a second
        texts = pool.map(make_key, [f"local-{name}" for name in SCOPES], SCOPES.values())
        made = KeyRing(**dict(zip(SCOPES, texts, strict=True)))
    write_private(path, made.model_dump_json())
    return made


def _read(path: Path) -> KeyRing | None:
    try:
        return KeyRing.model_validate_json(path.read_text())
    except (FileNotFoundError, ValidationError):
        return None


def _all_accepted(api_url: str, keys: KeyRing) -> bool:
    with httpx.Client(base_url=api_url, timeout=10) as client:
        answers = [
            client.get(_NOBODY, headers={"X-API-Key": key}).status_code
            for key in (keys.admin, keys.write, keys.read)
        ]
    return HTTPStatus.UNAUTHORIZED not in answers
