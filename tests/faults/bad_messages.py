"""Messages that can never succeed: malformed, or meant to do harm; each with what it is told."""

import base64
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import cycle, islice
from typing import Any

from shared.models.blobs import BlobReference
from tests.integration.messages import event

MALFORMED = "malformed_message"
NOT_FOUND = "blob_not_found"
NOT_ALLOWED = "storage_account_not_allowed"


@dataclass(frozen=True)
class BadMessage:
    """What is sent, and why it is set aside."""

    body: str
    reason: str


Make = Callable[[BlobReference, str], str]
"""From a blob that is there, and a mark that makes the message the only one of its kind."""


def _published(blob: BlobReference, **changes: Any) -> str:
    return event(blob, **changes).decode()


def _subject(blob: BlobReference, path: str, container: str | None = None) -> str:
    subject = f"/blobServices/default/containers/{container or blob.container}/blobs/{path}"
    return _published(blob, subject=subject)


def _base64(text: bytes) -> str:
    return base64.b64encode(text).decode()


NO_MESSAGES: list[Make] = [
    lambda _, mark: f"Please register {mark}, thank you.",
    lambda _, mark: json.dumps(mark),
    lambda _, mark: str(int.from_bytes(mark.encode(), "big")),
    lambda _, mark: f'{{"mark": "{mark}", "depth": {"[" * 20_000}{"]" * 20_000}}}',
    lambda _, mark: "[" * 20_000 + mark,
    lambda _, mark: f'{{"mark": "{mark}", "number": NaN}}',
    lambda _, mark: f'{{"mark": "{mark}", "number": 1e999999}}',
    lambda _, mark: f"<xml>{mark}</xml>",
    lambda _, mark: f"'; DROP TABLE registry.artifacts; -- {mark}",
    lambda _, mark: _base64(b"\x00\xff\xfe{" + mark.encode()),
    lambda _, mark: _base64(mark.encode("utf-16")),
    lambda _, mark: _base64(_base64(mark.encode()).encode()),
    lambda blob, mark: _subject(blob, mark)[:-1],
    lambda blob, mark: _subject(blob, mark) + "}",
]
_NO_EVENTS: list[Make] = [
    lambda _, mark: json.dumps({"mark": mark}),
    lambda blob, mark: _published(blob, eventType=f"Some.Other.Event.{mark}"),
    lambda blob, mark: _published(blob, eventType=[mark]),
    lambda blob, mark: _published(blob, subject=f"/nothing/{mark}"),
    lambda blob, mark: _published(blob, subject={"path": mark}),
    lambda blob, mark: _published(blob, data=mark),
    lambda blob, mark: _published(blob, specversion="0.3", type=mark),
    lambda blob, mark: json.dumps({"kind": "blob-reference", "account": blob.account, "x": mark}),
    lambda blob, mark: json.dumps([[json.loads(_subject(blob, mark))]]),
]
_NO_NAMES: list[Make] = [
    lambda blob, mark: _subject(blob, f"../{mark}"),
    lambda blob, mark: _subject(blob, f"a/./{mark}"),
    lambda blob, mark: _subject(blob, f"\0{mark}"),
    lambda blob, mark: _subject(blob, f"\ud800{mark}"),
    lambda blob, mark: _subject(blob, mark * 1025),
    lambda blob, mark: _subject(blob, mark, "Capital"),
    lambda blob, mark: _subject(blob, mark, "a"),
    lambda blob, mark: _subject(blob, mark, "a--b"),
    lambda blob, mark: _subject(blob, mark, "127.0.0.1"),
    lambda blob, mark: _subject(BlobReference(blob.account, blob.container, "a"), f"{mark}/.."),
    lambda blob, mark: _published(blob, topic="", data={"url": f"//{mark}"}),
]
_GONE: list[Make] = [
    lambda blob, mark: _subject(blob, f"gone/{mark}"),
    lambda blob, mark: _subject(blob, mark, "no-such-container"),
    lambda blob, mark: _subject(blob, f"%2e%2e/{mark}"),
    lambda blob, mark: _subject(blob, f"a?comp=list&se={mark}"),
    lambda blob, mark: _subject(blob, f"'; DROP TABLE registry.artifacts; -- {mark}"),
]
_ELSEWHERE: list[Make] = [
    lambda blob, mark: _published(blob, topic="", data={"url": f"http://[::1]/{mark}"}),
    lambda blob, mark: _published(blob, topic=f"/storageAccounts/other{mark}"),
    lambda blob, mark: _published(
        blob, topic="", data={"url": f"https://evil{mark}.blob.core.windows.net/ccc/x"}
    ),
    lambda blob, mark: _published(
        blob, topic="", data={"url": f"http://169.254.169.254/metadata/{mark}"}
    ),
]
_KINDS: list[tuple[Make, str]] = [
    *((make, MALFORMED) for make in (*NO_MESSAGES, *_NO_EVENTS, *_NO_NAMES)),
    *((make, NOT_FOUND) for make in _GONE),
    *((make, NOT_ALLOWED) for make in _ELSEWHERE),
]


def bad_messages(blob: BlobReference, count: int) -> Iterator[BadMessage]:
    """So many, all different, of each kind in turn."""
    for number, (make, reason) in enumerate(islice(cycle(_KINDS), count)):
        yield BadMessage(make(blob, f"{number:05}"), reason)
