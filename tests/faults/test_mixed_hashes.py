"""A blob that is written again at every chunk boundary of its hashing, in every way of writing."""

from collections.abc import Callable, Generator
from itertools import groupby

import pytest

from devhost.stack.azurite import Azurite
from shared.models.blobs import BlobProperties
from shared.storage import blobs
from shared.storage.blobs import BlobStore
from shared.storage.ranges import RangeReader
from tests.faults.changing import Appended, Changing, Overwritten, Relabelled, WrittenInPages
from tests.faults.conftest import Tally
from tests.faults.places import Place
from tests.faults.registered import Rows, assert_holds, hash_of
from tests.faults.sizes import sized
from tests.integration.messages import ORIGIN, QUEUE, event
from tests.integration.uploads import Uploads

CHUNKS = 51
CHUNKS_AN_ANSWER = 17
"""Some boundaries are between two answers of the store, most of them within one."""
BOUNDARIES = CHUNKS + 1
"""Before the first chunk, between any two, and after the last."""


class WatchedReader(RangeReader):
    """Reads as the store does; at one boundary somebody writes.

    It stands below the reading ahead: the writing falls between two chunks as they come from the
    socket, not as they are hashed.
    """

    boundary = 0
    write: Callable[[], object] | None = None

    def read(self, blob: BlobProperties) -> Generator[bytes]:
        boundary = 0
        for boundary, chunk in enumerate(super().read(blob), start=1):
            self._write_at(boundary - 1)
            yield chunk
        self._write_at(boundary)

    def _write_at(self, boundary: int) -> None:
        if boundary == self.boundary and self.write is not None:
            write, self.write = self.write, None
            write()


class WatchedStore(BlobStore):
    """A store whose reader is watched."""

    def __init__(self, connection_string: str, *, block_bytes: int) -> None:
        super().__init__(connection_string, block_bytes=block_bytes)
        self.reader = self._ranges = WatchedReader(self._service, block_bytes)


@pytest.mark.parametrize(
    "kind",
    [
        Overwritten,
        *(
            pytest.param(kind, marks=pytest.mark.long)
            for kind in (Relabelled, WrittenInPages, Appended)
        ),
    ],
)
@pytest.mark.parametrize("chunk_bytes", sized((32 * 1024,), (blobs.CHUNK_BYTES,)))
def test_a_blob_written_at_a_chunk_boundary_of_its_hashing_never_gets_a_mixed_hash(
    monkeypatch: pytest.MonkeyPatch,
    azurite: Azurite,
    place: Place,
    uploads: Uploads,
    sql: Rows,
    tally: Tally,
    kind: type[Changing],
    chunk_bytes: int,
) -> None:
    monkeypatch.setattr(blobs, "CHUNK_BYTES", chunk_bytes)
    changing = kind(uploads.container.get_blob_client("busy"), CHUNKS, chunk_bytes)
    store = WatchedStore(azurite.connection_string, block_bytes=CHUNKS_AN_ANSWER * chunk_bytes)
    notice = event(uploads.reference("busy"))
    with place.ingestion(store) as service:
        for boundary in range(BOUNDARIES):
            changing.change()  # what is registered already would not be hashed
            store.reader.boundary, store.reader.write = boundary, changing.change
            for _ in range(2):  # one for the state before, and one for the state after
                service.take_blob_events(QUEUE, notice, ORIGIN)
            assert store.reader.write is None, "nobody came to this boundary"
    assert_holds(sql, uploads.container, {"busy": changing.content})
    registered = [row["content_hash"] for row in sql.execute(_HASHES).fetchall()]
    assert is_part_of(registered, [hash_of(content) for content in changing.contents])
    tally(boundaries=BOUNDARIES, states=len(changing.contents), revisions=len(registered))


_HASHES = "SELECT content_hash FROM registry.artifacts ORDER BY revision"


def is_part_of(some: list[str], whole: list[str]) -> bool:
    """Whether all of `some` are in `whole`, in that order, one after the other's repeats."""
    remaining = iter([value for value, _ in groupby(whole)])
    return all(value in remaining for value in some)
