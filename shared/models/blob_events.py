"""Notices that a blob was written, in every form that reaches the blob events queue.

Event Grid's own schema and CloudEvents 1.0 as Azure Storage publishes them (`Microsoft.Storage`
system topics), and the reference that the blob trigger forwards. As text or base64, one event or
a list of them.
"""

import binascii
import json
import re
from base64 import b64decode
from codecs import BOM_UTF8
from typing import Annotated, Literal, cast
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Discriminator, Field, Tag, TypeAdapter, ValidationError
from pydantic_core import from_json

from shared.errors import InvalidInput, MalformedMessage
from shared.models.blobs import BlobReference

_SUBJECT = re.compile(r"/blobServices/default/containers/([^/]+)/blobs/(.+)", re.DOTALL)
_ACCOUNT = re.compile(r"/storageAccounts/([^/]+)/?$", re.IGNORECASE)
_BLOB_CREATED = "Microsoft.Storage.BlobCreated"
_FORWARDED = "blob-reference"


class _BlobData(BaseModel):
    api: str = ""
    url: str = ""


class _StorageEvent(BaseModel):
    """What both published schemas share; they differ in the names of two members."""

    model_config = ConfigDict(populate_by_name=True)

    kind: str
    source: str = ""
    subject: str
    data: _BlobData

    def reference(self) -> BlobReference | None:
        if self.kind != _BLOB_CREATED:
            raise MalformedMessage(f"Events of type {self.kind[:100]!r} are not taken here.")
        if self.data.api == "CreateFile":
            return None  # Data Lake: an empty file first; FlushWithClose follows with the bytes
        found = _SUBJECT.fullmatch(self.subject)
        if not found:
            raise MalformedMessage("The event's subject does not name a blob.")
        return BlobReference(self._account(), found[1], found[2])

    def _account(self) -> str:
        found = _ACCOUNT.search(self.source)
        return found[1] if found else _account_in(self.data.url)


class _EventGridEvent(_StorageEvent):
    kind: str = Field(alias="eventType")
    source: str = Field(default="", alias="topic")


class _CloudEvent(_StorageEvent):
    specversion: Literal["1.0"]
    kind: str = Field(alias="type")


class _ForwardedEvent(BaseModel):
    kind: Literal["blob-reference"]
    account: str
    container: str
    path: str

    def reference(self) -> BlobReference | None:
        return BlobReference(self.account, self.container, self.path)


def _form_of(event: object) -> str:
    members = cast("dict[str, object]", event) if isinstance(event, dict) else {}
    if "specversion" in members:
        return "cloud"
    return "grid" if "eventType" in members else "forwarded"


_Event = Annotated[
    Annotated[_EventGridEvent, Tag("grid")]
    | Annotated[_CloudEvent, Tag("cloud")]
    | Annotated[_ForwardedEvent, Tag("forwarded")],
    Discriminator(_form_of),
]
_EVENT: TypeAdapter[_Event] = TypeAdapter(_Event)


def forwarded_event(blob: BlobReference) -> str:
    """The message by which the blob trigger hands a blob over: a reference, never content."""
    return json.dumps(
        {
            "kind": _FORWARDED,
            "account": blob.account,
            "container": blob.container,
            "path": blob.path,
        }
    )


def read_blob_event(event: object) -> BlobReference | None:
    """The blob that one event is about; None where it only announces bytes still to come.

    Raises MalformedMessage where the event has none of the accepted forms.
    """
    try:
        return _EVENT.validate_python(event).reference()
    except ValidationError as error:
        raise MalformedMessage(f"Not a storage event: {_first_fault(error)}.") from None
    except InvalidInput as error:
        raise MalformedMessage(error.summary) from None


def events_in(document: object) -> list[object]:
    """The events of a message's document, one or a list of them, unread."""
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


def _account_in(url: str) -> str:
    """The account of a blob URL: its host's first label, or the first segment after an address.

    Emulators and other hosts without a name of their own for each account use the latter form.
    """
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
    except ValueError:
        host, parts = "", urlsplit("")
    if ".blob." in host or ".dfs." in host:
        return host.partition(".")[0]
    return parts.path.lstrip("/").partition("/")[0]


def _first_fault(error: ValidationError) -> str:
    fault = error.errors(include_url=False, include_input=False)[0]
    return f"{'/'.join(str(part) for part in fault['loc'])}: {fault['msg']}"
