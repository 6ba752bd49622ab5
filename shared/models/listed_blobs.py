"""Blobs as a listing or an inventory tells of them, without a request for each."""

from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from shared.models.blobs import check_account, check_container


@dataclass(frozen=True)
class BlobScope:
    """Blobs of one container whose names begin with a prefix.

    Raises InvalidInput for an account or a container that cannot be.
    """

    account: str
    container: str
    prefix: str = ""

    def __post_init__(self) -> None:
        check_account(self.account)
        check_container(self.container)


@dataclass(frozen=True, slots=True)
class ListedBlob:
    """What a list said of a blob, before anybody looked whether such a name can be reached."""

    path: str
    etag: str
    """Without quotes."""
    size_bytes: int
    content_type: str | None = None
    version_id: str | None = None
    tier: str | None = None
    metadata: Mapping[str, str] = field(default_factory=dict[str, str])
    tags: Mapping[str, str] = field(default_factory=dict[str, str])


@dataclass(frozen=True, slots=True)
class UnreadableRow:
    """A row of an inventory that tells of no blob."""

    name: str
    reason: str


@dataclass(frozen=True)
class ListedPage:
    """Some blobs in the order of the list."""

    blobs: Sequence[ListedBlob]
    marker: str | None
    """Where the list goes on; None at its end."""
    unreadable: Sequence[UnreadableRow] = ()
    progress: float | None = None
    """Which part of the list is behind its end, from 0 to 1, where that can be told."""


class BlobList(Protocol):
    """A list of the blobs of one container, or of those below a prefix."""

    @property
    def identity(self) -> str:
        """Tells this list from any other of the same blobs."""
        ...

    @property
    def is_hearsay(self) -> bool:
        """Whether it says what the store held at some time before, and not when it was asked."""
        ...

    def pages(self, marker: str | None) -> Generator[ListedPage]:
        """The list from its beginning, or from where a page ended. Each page is read when it is
        asked for, none before."""
        ...
