"""A blob as the storage account names and describes it."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from shared.errors import InvalidInput

_CONTAINER = re.compile(r"\$(?:root|web|logs)|(?=.{3,63}\Z)[a-z0-9]+(?:-[a-z0-9]+)*")
_ACCOUNT = re.compile("[a-z0-9]{3,24}")
_LONGEST_NAME = 1024


@dataclass(frozen=True)
class BlobReference:
    """Which blob: its name is raw text, never percent-encoded.

    Raises InvalidInput for a name that no blob can have or be reached by. The rules are those of
    "Naming and Referencing Containers, Blobs, and Metadata" in the Azure Storage documentation.
    """

    account: str
    container: str
    path: str

    def __post_init__(self) -> None:
        check_account(self.account)
        check_container(self.container)
        _check_path(self.path)


@dataclass(frozen=True)
class BlobProperties:
    """What the store said of a blob at one moment; `etag`, kept without quotes, names its state."""

    reference: BlobReference
    uri: str
    """Address without credentials."""
    etag: str
    size_bytes: int
    content_type: str | None
    version_id: str | None
    """None where the account keeps no versions."""
    tier: str | None
    metadata: Mapping[str, str]
    last_modified: datetime
    is_version: bool = False
    """Asked for by its version: that is read, whatever the blob holds by then."""
    archive_status: str | None = None
    """To which tier an archived blob is being brought back, as the store words it."""
    tag_count: int = 0
    """How many index tags it has; what they say is asked for apart."""

    def __post_init__(self) -> None:
        # A frozen dataclass can be normalised only behind its own back.
        object.__setattr__(self, "etag", self.etag.strip('"'))


def check_account(name: str) -> None:
    """Raise InvalidInput for what no storage account is called."""
    if _ACCOUNT.fullmatch(name) is None:
        raise InvalidInput(
            "A storage account name has 3 to 24 lowercase letters and digits.", "/account"
        )


def check_container(name: str) -> None:
    """Raise InvalidInput for what no container is called."""
    if _CONTAINER.fullmatch(name) is None:
        raise InvalidInput(
            "A container name has 3 to 63 lowercase letters, digits and single hyphens.",
            "/container",
        )


def _check_path(name: str) -> None:
    if not 1 <= len(name) <= _LONGEST_NAME:
        raise InvalidInput(f"A blob name has 1 to {_LONGEST_NAME} characters.", "/path")
    if "\0" in name:
        raise InvalidInput("A blob name holds no NUL character.", "/path")
    if any("\ud800" <= character <= "\udfff" for character in name):
        raise InvalidInput("A blob name is text that UTF-8 can express.", "/path")
    # HTTP clients resolve such a segment before they send: `../b/c` would be blob c of container b.
    if not {".", ".."}.isdisjoint(name.split("/")):
        raise InvalidInput("A blob name has no segment '.' or '..'.", "/path")
