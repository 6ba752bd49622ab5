"""Many uploads to one name at once, and several workers that take their events."""

import hashlib
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.faults.conftest import Tally
from tests.faults.places import Place
from tests.faults.processes import workers
from tests.faults.registered import Rows, assert_holds, hash_of, reasons
from tests.faults.sizes import sized
from tests.integration.uploads import Uploads

UPLOADS = 64
UPLOADERS = 8
WORKERS = 3


def content_of(name: str, number: int) -> bytes:
    """Of any length up to a few chunks, so that uploads and readings overtake each other."""
    word = hashlib.sha256(f"{name} {number}".encode()).digest()
    return word * (1 + int.from_bytes(word[:2], "big"))


def upload_all(place: Place, uploads: Uploads, name: str) -> None:
    def upload(number: int) -> None:
        with place.queue() as queue:
            place.announce(queue, uploads.put(name, content_of(name, number)))

    with ThreadPoolExecutor(UPLOADERS) as uploaders:
        list(uploaders.map(upload, range(UPLOADS)))


@pytest.mark.parametrize("names", sized((1,), (20,)))
def test_of_64_uploads_to_one_name_the_current_revision_is_what_the_store_holds(
    place: Place, uploads: Uploads, sql: Rows, tally: Tally, names: int
) -> None:
    written = [f"busy/{number}" for number in range(names)]
    with workers(place, WORKERS), place.queue() as queue:
        for name in written:
            upload_all(place, uploads, name)
        place.wait_until_drained(queue)
    held = {name: uploads.container.download_blob(name).readall() for name in written}
    assert_holds(sql, uploads.container, held)
    rows = sql.execute("SELECT blob_path, content_hash FROM registry.artifacts").fetchall()
    for name in written:
        states = {row["content_hash"] for row in rows if row["blob_path"] == name}
        assert states <= {hash_of(content_of(name, number)) for number in range(UPLOADS)}
    assert reasons(sql) == []
    tally(uploads=names * UPLOADS, workers=WORKERS, revisions=len(rows))
