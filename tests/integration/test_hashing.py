import hashlib
import itertools
import random
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace

import pytest

from devhost.stack.azurite import Azurite
from shared.errors import BlobChanged, BlobNotFound, StorageUnavailable
from shared.models.blobs import BlobReference
from shared.models.content_hash import ContentHash, content_hash_of
from shared.services.hashing import HashedContent, hash_blob, hash_chunks
from shared.storage.blobs import CHUNK_BYTES, CHUNKS_AHEAD, BlobStore
from tests.integration.breaking_proxy import breaking_proxy
from tests.integration.uploads import Uploads, uploading_to

BLOCK = 2 * CHUNK_BYTES
MEBIBYTE = 1024 * 1024
SIZES = sorted(
    {0, 1, CHUNK_BYTES // 2}
    | {edge + step for edge in (CHUNK_BYTES, BLOCK, 3 * BLOCK) for step in (-1, 0, 1)}
)


@pytest.fixture
def store(azurite: Azurite) -> BlobStore:
    """Reads in small blocks, so that a small blob has many."""
    return BlobStore(azurite.connection_string, block_bytes=BLOCK)


def content_of(size: int, seed: int = 0) -> bytes:
    return random.Random(seed).randbytes(size)  # noqa: S311 - test data, no secret


def hash_of(content: bytes) -> ContentHash:
    return content_hash_of(hashlib.sha256(content).digest())


def through(azurite: Azurite, port: int) -> BlobStore:
    """A store that reaches the blob service over another port."""
    there = azurite.connection_string.replace(f":{azurite.ports[0]}/", f":{port}/")
    return BlobStore(there, block_bytes=BLOCK)


@pytest.mark.parametrize("size", SIZES)
def test_a_blob_of_any_size_has_the_hash_of_its_bytes(
    store: BlobStore, uploads: Uploads, size: int
) -> None:
    content = content_of(size)
    properties = store.properties(uploads.put("blob", content))
    assert hash_blob(store, properties) == HashedContent(hash_of(content), size)


def test_a_stream_has_the_hash_of_its_pieces_put_together() -> None:
    pieces = [b"", b"a", b"", b"bc", bytes(100_000)]
    whole = b"".join(pieces)
    assert hash_chunks(iter(pieces)) == HashedContent(hash_of(whole), len(whole))


@pytest.mark.parametrize("size", [0, 1, 3 * BLOCK])
def test_a_blob_overwritten_before_hashing_is_told_as_changed(
    store: BlobStore, uploads: Uploads, size: int
) -> None:
    properties = store.properties(uploads.put("blob", bytes(size)))
    uploads.put("blob", bytes(size))  # even with the same bytes: it is another state
    with pytest.raises(BlobChanged):
        hash_blob(store, properties)


@pytest.mark.parametrize(
    "boundary",
    [
        pytest.param(boundary, marks=[] if boundary in {1, 6, 11} else pytest.mark.long)
        for boundary in range(1, 12)
    ],
)
def test_a_blob_overwritten_at_a_block_boundary_never_gets_a_mixed_hash(
    store: BlobStore, uploads: Uploads, boundary: int
) -> None:
    first, second = content_of(12 * BLOCK, seed=1), content_of(12 * BLOCK, seed=2)
    properties = store.properties(uploads.put("blob", first))

    def overwriting() -> Iterator[bytes]:
        for number, chunk in enumerate(store.read(properties), start=1):
            yield chunk
            if number * CHUNK_BYTES == boundary * BLOCK:
                uploads.put("blob", second)

    out_of_reach = boundary * BLOCK + (CHUNKS_AHEAD + 1) * CHUNK_BYTES + BLOCK
    if out_of_reach < len(first):
        with pytest.raises(BlobChanged):
            hash_chunks(overwriting())
        return
    with suppress(BlobChanged):  # the last blocks may have been on their way already
        assert hash_chunks(overwriting()).content_hash == hash_of(first)


def test_a_blob_overwritten_within_one_block_is_told_as_changed(
    azurite: Azurite, uploads: Uploads
) -> None:
    store = BlobStore(azurite.connection_string)
    properties = store.properties(uploads.put("blob", bytes(32 * MEBIBYTE)))
    chunks = store.read(properties)
    next(chunks)
    uploads.put("blob", bytes(32 * MEBIBYTE))
    with pytest.raises(BlobChanged):
        hash_chunks(chunks)


def test_a_blob_that_keeps_changing_is_hashed_in_one_state_or_not_at_all(
    store: BlobStore, uploads: Uploads
) -> None:
    versions = [content_of(3 * BLOCK, seed) for seed in range(4)]
    reference = uploads.put("blob", versions[0])
    done = threading.Event()

    def keep_changing() -> None:
        for version in itertools.cycle(versions):
            if done.is_set():
                return
            uploads.put("blob", version)

    writer = threading.Thread(target=keep_changing)
    writer.start()
    try:
        hashed = [_hash_unless_changed(store, reference) for _ in range(30)]
    finally:
        done.set()
        writer.join()

    assert set(hashed) <= {hash_of(version) for version in versions} | {None}


@pytest.mark.parametrize("said", [0, 1, BLOCK - 1, BLOCK + 1, 2 * BLOCK])
def test_a_size_other_than_the_stores_gives_no_hash(
    store: BlobStore, uploads: Uploads, said: int
) -> None:
    properties = store.properties(uploads.put("blob", bytes(BLOCK)))
    with pytest.raises(BlobChanged):
        hash_blob(store, replace(properties, size_bytes=said))


def test_a_blob_deleted_before_hashing_gives_no_hash(store: BlobStore, uploads: Uploads) -> None:
    properties = store.properties(uploads.put("blob", b"abc"))
    uploads.container.delete_blob("blob")
    # Azurite answers a condition on a missing blob with 412; then looking again says the rest.
    with pytest.raises((BlobChanged, BlobNotFound)):
        hash_blob(store, properties)


def test_a_connection_cut_in_mid_answer_is_resumed_to_the_same_hash(
    azurite: Azurite, uploads: Uploads
) -> None:
    content = content_of(5 * BLOCK + 7)
    reference = uploads.put("blob", content)
    with breaking_proxy(azurite.ports[0], breaks=3, after_bytes=BLOCK // 3) as proxy:
        store = through(azurite, proxy.port)
        hashed = hash_blob(store, store.properties(reference))
    assert hashed == HashedContent(hash_of(content), len(content))
    assert proxy.broken == 3


def test_a_connection_cut_in_every_answer_gives_a_fault_that_passes_and_no_hash(
    azurite: Azurite, uploads: Uploads
) -> None:
    reference = uploads.put("blob", content_of(5 * BLOCK))
    with breaking_proxy(azurite.ports[0], breaks=1_000, after_bytes=10_000) as proxy:
        store = through(azurite, proxy.port)
        properties = store.properties(reference)
        with pytest.raises(StorageUnavailable):
            hash_blob(store, properties)


@pytest.mark.long
def test_a_store_that_stops_in_mid_blob_gives_a_fault_that_passes_and_no_hash(
    own_azurite: Azurite, unique_name: str
) -> None:
    store = BlobStore(own_azurite.connection_string, block_bytes=BLOCK)
    with uploading_to(own_azurite.connection_string, unique_name) as uploads:
        reference = uploads.put_blocks("blob", bytes(BLOCK), 30)
    chunks = store.read(store.properties(reference))
    next(chunks)
    own_azurite.kill()
    with pytest.raises(StorageUnavailable):
        hash_chunks(chunks)


@pytest.mark.skipif(sys.platform != "linux", reason="peak memory is read from /proc")
@pytest.mark.parametrize(
    "blocks", [4, pytest.param(32, marks=[pytest.mark.long, pytest.mark.timeout(600)])]
)
def test_hashing_a_blob_of_many_blocks_takes_less_than_64_mib_above_idle(
    azurite: Azurite, uploads: Uploads, blocks: int
) -> None:
    block = bytes(64 * MEBIBYTE)
    reference = uploads.put_blocks("blob", block, blocks)
    expected = hashlib.sha256()
    for _ in range(blocks):
        expected.update(block)

    script = [sys.executable, "-m", "tests.integration.hashing_memory"]
    answer = subprocess.run(
        [*script, azurite.connection_string, reference.container, reference.path],
        check=True,
        capture_output=True,
        text=True,
    )
    content_hash, above_idle = answer.stdout.split()

    assert content_hash == content_hash_of(expected.digest())
    assert int(above_idle) < 64 * MEBIBYTE


def _hash_unless_changed(store: BlobStore, reference: BlobReference) -> ContentHash | None:
    try:
        return hash_blob(store, store.properties(reference)).content_hash
    except BlobChanged:
        return None
