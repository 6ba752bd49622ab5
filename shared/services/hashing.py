"""Content hashes of streams: SHA-256 in bounded memory."""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass

from shared.models.blobs import BlobProperties
from shared.models.content_hash import ContentHash, content_hash_of
from shared.storage.accounts import Blobs


@dataclass(frozen=True)
class HashedContent:
    """What a stream held."""

    content_hash: ContentHash
    size_bytes: int


def hash_chunks(chunks: Iterable[bytes]) -> HashedContent:
    """Hash a stream that comes in pieces of any size."""
    digest = hashlib.sha256()
    size_bytes = 0
    for chunk in chunks:
        digest.update(chunk)
        size_bytes += len(chunk)
    return HashedContent(content_hash_of(digest.digest()), size_bytes)


def hash_blob(store: Blobs, properties: BlobProperties) -> HashedContent:
    """Hash a blob in exactly the state that its properties describe.

    On return, the store has confirmed, to a request sent after this call began, that the etag was
    still the blob's. Raises what `BlobStore.read` raises.
    """
    return hash_chunks(store.read(properties))
