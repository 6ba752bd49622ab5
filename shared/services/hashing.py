"""Content hashes of streams: SHA-256 in bounded memory."""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass

from shared.models.blobs import BlobProperties
from shared.models.checksums import ChecksumAlgorithm
from shared.models.content_hash import ContentHash, content_hash_of
from shared.storage.accounts import Blobs
from shared.telemetry.metrics import HASHED_BYTES, HASHING_SECONDS, lasting
from shared.telemetry.traces import span


@dataclass(frozen=True)
class HashedContent:
    """What a stream held."""

    content_hash: ContentHash
    size_bytes: int
    digits: str | None = None
    """By another algorithm, where that was asked for; lowercase hex."""


def hash_chunks(
    chunks: Iterable[bytes], algorithm: ChecksumAlgorithm | None = None
) -> HashedContent:
    """Hash a stream that comes in pieces of any size, by another algorithm as well if asked to."""
    digest = hashlib.sha256()
    other = hashlib.new(algorithm, usedforsecurity=False) if algorithm else None
    size_bytes = 0
    for chunk in chunks:
        digest.update(chunk)
        if other is not None:
            other.update(chunk)
        size_bytes += len(chunk)
    digits = other.hexdigest() if other is not None else None
    return HashedContent(content_hash_of(digest.digest()), size_bytes, digits)


def hash_blob(
    store: Blobs, properties: BlobProperties, algorithm: ChecksumAlgorithm | None = None
) -> HashedContent:
    """Hash a blob in exactly the state that its properties describe, as `hash_chunks` does.

    On return, the store has confirmed, to a request sent after this call began, that the etag was
    still the blob's. Raises what `BlobStore.read` raises.
    """
    with span("hash blob") as step, lasting(HASHING_SECONDS):
        hashed = hash_chunks(store.read(properties), algorithm)
        step.set_attribute("registry.size_bytes", hashed.size_bytes)
    HASHED_BYTES.add(hashed.size_bytes)
    return hashed
