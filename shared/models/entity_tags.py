"""Entity tags: which state of a thing a caller has seen (RFC 9110, section 8.8.3)."""

import hashlib
from base64 import urlsafe_b64encode

from pydantic import BaseModel

_DIGEST_BYTES = 18


def entity_tag(seen: BaseModel) -> str:
    """The strong tag of a state, without quotes: 144 bits of SHA-256 over its JSON."""
    return tag_of_json(seen.model_dump_json())


def tag_of_json(text: str) -> str:
    """The same, for whoever has the JSON of the state at hand."""
    digest = hashlib.sha256(text.encode()).digest()
    return urlsafe_b64encode(digest[:_DIGEST_BYTES]).decode()
