"""Notices about blobs and folders, in every form that reaches the blob events queue.

Event Grid's own schema and CloudEvents 1.0 as Azure Storage publishes them (`Microsoft.Storage`
system topics; "Azure Blob Storage as an Event Grid source" in Microsoft's documentation), and the
forms that we forward ourselves. As text or base64, one event or a list of them.
"""

import binascii
import re
from base64 import b64decode
from codecs import BOM_UTF8
from typing import Annotated, Literal, cast

from pydantic import (
    BaseModel,
    ConfigDict,
    Discriminator,
    Field,
    Tag,
    TypeAdapter,
    ValidationError,
)
from pydantic_core import from_json

from shared.errors import InvalidInput, MalformedMessage
from shared.models.blob_notices import (
    BlobCreated,
    BlobDeleted,
    BlobNotice,
    BlobRenamed,
    BlobTierChanged,
    FolderDeleted,
    FolderRenamed,
)
from shared.models.blob_urls import account_in, named_by
from shared.models.blobs import BlobReference

_SUBJECT = re.compile(r"/blobServices/default/containers/([^/]+)/blobs/(.+)", re.DOTALL)
_ACCOUNT = re.compile(r"/storageAccounts/([^/]+)/?$", re.IGNORECASE)
_ANNOUNCING = frozenset({"CreateFile", "SftpCreate"})
"""Data Lake: an empty file first; FlushWithClose or SftpCommit follows with the bytes."""

_TOLD = {
    "Microsoft.Storage.BlobCreated": BlobCreated,
    "Microsoft.Storage.BlobDeleted": BlobDeleted,
    "Microsoft.Storage.BlobTierChanged": BlobTierChanged,
    "Microsoft.Storage.DirectoryDeleted": FolderDeleted,
}
_RENAMED = {
    "Microsoft.Storage.BlobRenamed": BlobRenamed,
    "Microsoft.Storage.DirectoryRenamed": FolderRenamed,
}


class _BlobData(BaseModel):
    api: str = ""
    url: str = ""
    source_url: str = Field(default="", alias="sourceUrl")
    content_length: int | str | None = Field(default=None, alias="contentLength")


class _StorageEvent(BaseModel):
    """What both published schemas share; they differ in the names of two members."""

    model_config = ConfigDict(populate_by_name=True)

    kind: str
    source: str = ""
    subject: str
    data: _BlobData

    def notice(self) -> BlobNotice | None:
        if self.kind in _TOLD:
            return None if self._only_announces() else _TOLD[self.kind].of(self._subject())
        if self.kind in _RENAMED:
            return _RENAMED[self.kind].from_to(self._renamed(), self._subject())
        if self.kind == "Microsoft.Storage.DirectoryCreated":
            return None
        raise MalformedMessage(f"Events of type {self.kind[:100]!r} are not taken here.")

    def _only_announces(self) -> bool:
        return self.data.api in _ANNOUNCING and self.data.content_length in {None, 0, "0"}

    def _subject(self) -> BlobReference:
        found = _SUBJECT.fullmatch(self.subject)
        if not found:
            raise MalformedMessage("The event's subject does not name a blob.")
        return BlobReference(self._account(), found[1], found[2])

    def _renamed(self) -> BlobReference:
        """What the subject was called before: only a URL says so, which is read as a name."""
        return named_by(self.data.source_url, self._account())

    def _account(self) -> str:
        found = _ACCOUNT.search(self.source)
        return found[1] if found else account_in(self.data.url or self.data.source_url)


class _EventGridEvent(_StorageEvent):
    kind: str = Field(alias="eventType")
    source: str = Field(default="", alias="topic")


class _CloudEvent(_StorageEvent):
    specversion: Literal["1.0"]
    kind: str = Field(alias="type")


def _form_of(event: object) -> str:
    members = cast("dict[str, object]", event) if isinstance(event, dict) else {}
    if "specversion" in members:
        return "cloud"
    return "grid" if "eventType" in members else str(members.get("kind"))


_Event = Annotated[
    Annotated[_EventGridEvent, Tag("grid")]
    | Annotated[_CloudEvent, Tag("cloud")]
    | Annotated[BlobCreated, Tag("blob-reference")]
    | Annotated[BlobDeleted, Tag("blob-deleted")]
    | Annotated[BlobTierChanged, Tag("blob-tier-changed")]
    | Annotated[BlobRenamed, Tag("blob-renamed")]
    | Annotated[FolderDeleted, Tag("folder-deleted")]
    | Annotated[FolderRenamed, Tag("folder-renamed")],
    Discriminator(_form_of),
]
_EVENT: TypeAdapter[_Event] = TypeAdapter(_Event)


def forwarded_event(blob: BlobReference) -> str:
    """The message by which the blob trigger hands a blob over: a reference, never content."""
    return BlobCreated.of(blob).message()


def read_blob_event(event: object) -> BlobNotice | None:
    """What one event tells; None where it only announces bytes still to come.

    Raises MalformedMessage where the event has none of the accepted forms.
    """
    try:
        read = _EVENT.validate_python(event)
        return read.notice() if isinstance(read, _StorageEvent) else read
    except ValidationError as error:
        raise MalformedMessage(f"Not a storage event: {_first_fault(error)}.") from None
    except InvalidInput as error:
        raise MalformedMessage(error.summary) from None


def events_in(document: object) -> list[object]:
    """The events of a message's document, one or a list of them, unread.

    Raises MalformedMessage for an empty list: whoever sent it meant something.
    """
    if document == []:
        raise MalformedMessage("The message is an empty list of events.")
    return cast("list[object]", document) if isinstance(document, list) else [document]


def message_document(body: bytes) -> object:
    """The JSON document in a queue message, which senders encode as base64 or leave as text.

    Raises MalformedMessage.
    """
    try:
        return from_json(message_text(body), allow_inf_nan=False)
    except ValueError:
        raise MalformedMessage("The message is not JSON, neither as text nor in base64.") from None


def message_text(body: bytes) -> bytes:
    """The body without what it was wrapped in: base64, wrapped lines, a byte order mark."""
    text = body.removeprefix(BOM_UTF8).strip()
    if text[:1] in {b"{", b"["}:
        return text
    try:
        return b64decode(b"".join(text.split()), validate=True).removeprefix(BOM_UTF8)
    except binascii.Error:
        return text


def _first_fault(error: ValidationError) -> str:
    fault = error.errors(include_url=False, include_input=False)[0]
    return f"{'/'.join(str(part) for part in fault['loc'])}: {fault['msg']}"
