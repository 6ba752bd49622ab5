"""Blobs that change in place, by every way of writing that the store knows."""

import random
from abc import ABC, abstractmethod

from azure.storage.blob import BlobBlock, BlobClient

PAGE = 512


class Changing(ABC):
    """A blob of so many chunks; `content` is always what the store holds."""

    def __init__(self, client: BlobClient, chunks: int, chunk_bytes: int) -> None:
        self.client = client
        dice = random.Random(chunks)  # noqa: S311 - test data, no secret
        self.chunks = [dice.randbytes(chunk_bytes) for _ in range(chunks)]
        self.contents = [self.content]
        """Every content so far, in order."""
        self._make()

    @property
    def content(self) -> bytes:
        return b"".join(self.chunks)

    def change(self) -> None:
        """Write once more."""
        self._write()
        self.contents.append(self.content)

    @abstractmethod
    def _make(self) -> None: ...

    @abstractmethod
    def _write(self) -> None: ...


class Overwritten(Changing):
    """A block blob whose blocks are put in another order: no chunk stays where it was."""

    def _make(self) -> None:
        self._blocks = [BlobBlock(f"{number:06}") for number in range(len(self.chunks))]
        for block, chunk in zip(self._blocks, self.chunks, strict=True):
            self.client.stage_block(block.id, chunk)
        self.client.commit_block_list(self._blocks)

    def _write(self) -> None:
        self._blocks = [*self._blocks[1:], self._blocks[0]]
        self.chunks = [*self.chunks[1:], self.chunks[0]]
        self.client.commit_block_list(self._blocks)


class WrittenInPages(Changing):
    """A page blob: its first page and its last are written, all between them stays."""

    def _make(self) -> None:
        size = len(self.content)
        self.client.create_page_blob(size)
        for number, chunk in enumerate(self.chunks):
            self.client.upload_page(chunk, number * len(chunk), len(chunk))

    def _write(self) -> None:
        page = len(self.contents).to_bytes(PAGE, "big")
        self.client.upload_page(page, 0, PAGE)
        self.client.upload_page(page, len(self.content) - PAGE, PAGE)
        self.chunks[0] = page + self.chunks[0][PAGE:]
        self.chunks[-1] = self.chunks[-1][:-PAGE] + page


class Appended(Changing):
    """An append blob: all bytes stay, and more come."""

    def _make(self) -> None:
        self.client.create_append_blob()
        for chunk in self.chunks:
            self.client.append_block(chunk)

    def _write(self) -> None:
        more = b"line %d\n" % len(self.contents)
        self.client.append_block(more)
        self.chunks.append(more)


class Relabelled(Changing):
    """A block blob of which the metadata alone changes: another etag, the same bytes."""

    def _make(self) -> None:
        self.client.upload_blob(self.content)

    def _write(self) -> None:
        self.client.set_blob_metadata({"number": str(len(self.contents))})
