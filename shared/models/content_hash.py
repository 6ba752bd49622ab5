"""The content hash: one value for the same bytes, however its sender writes it."""

import re
from typing import Annotated, NewType

from pydantic import PlainValidator, WithJsonSchema
from pydantic_core import PydanticCustomError

from shared.errors import InvalidInput

ContentHash = NewType("ContentHash", str)
"""A multihash in lowercase hex: `12` (sha2-256), `20` (32 bytes), then the 64 digits of SHA-256.

Formats: the multihash specification, and `file:checksum` of the STAC file extension.
"""

_SHA2_256 = "1220"
_PREFIXES = f"(?:{_SHA2_256}|[sS][hH][aA]256:)?"
_ACCEPTED = re.compile(f"{_PREFIXES}([0-9a-fA-F]{{64}})")


def parse_content_hash(text: str) -> ContentHash:
    """Read `<64 hex>`, `sha256:<64 hex>` or `1220<64 hex>`, in any letter case.

    The length tells a multihash from bare digits that happen to start with `1220`.
    Raises InvalidInput for anything else.
    """
    accepted = _ACCEPTED.fullmatch(text)
    if accepted is None:
        raise InvalidInput(
            "A content hash is a SHA-256: 64 hex digits, alone or after 'sha256:' or '1220'."
        )
    return ContentHash(_SHA2_256 + accepted[1].lower())


def content_hash_of(digest: bytes) -> ContentHash:
    """The content hash that a SHA-256 digest of 32 bytes stands for."""
    return ContentHash(_SHA2_256 + digest.hex())


def _validate(value: object) -> ContentHash:
    try:
        return parse_content_hash(value if isinstance(value, str) else "")
    except InvalidInput as fault:
        raise PydanticCustomError("content_hash", "{told}", {"told": fault.summary}) from None


ContentHashField = Annotated[
    ContentHash,
    PlainValidator(_validate),
    WithJsonSchema({"type": "string", "pattern": f"^{_PREFIXES}[0-9a-fA-F]{{64}}$"}),
]
"""A field of a pydantic model that reads what `parse_content_hash` reads."""
