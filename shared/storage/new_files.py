"""Files and blobs that are there as a whole, or not at all."""

import os
import tempfile
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from shared.errors import InvalidInput
from shared.models.blobs import BlobReference
from shared.storage.blobs import BlobStore


@contextmanager
def new_file(path: Path) -> Generator[BinaryIO]:
    """What is written takes the place of the file at once, unless an error comes; raises OSError.

    Only its owner may read it.
    """
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}-", suffix=".new")
    written = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        written.replace(path)
    except BaseException:
        written.unlink(missing_ok=True)
        raise


@contextmanager
def new_blob(store: BlobStore, reference: BlobReference) -> Generator[BinaryIO]:
    """What is written becomes a blob in the end, unless an error comes; on disk until then.

    Raises InvalidInput where there is such a blob, BlobNotFound where there is no such container,
    and StorageUnavailable.
    """
    with tempfile.TemporaryFile() as file:
        yield file
        file.seek(0)
        if not store.create(reference, file):
            raise InvalidInput(
                f"There is a blob '{reference.path}' in container '{reference.container}' already."
            )
