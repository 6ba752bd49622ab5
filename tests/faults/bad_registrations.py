"""Registrations that can never be made, each with what it is told."""

import json
from collections.abc import Callable, Iterator
from itertools import cycle, islice
from typing import Any

from shared.models.blobs import BlobReference
from tests.faults.bad_messages import MALFORMED, NO_MESSAGES, NOT_FOUND, BadMessage, Make

STANDING = {"client_type": "standing", "client_refs": {"name": "standing"}}
"""An asset that has a current artifact before any of these arrives."""

_Change = Callable[[BlobReference, str], dict[str, Any]]

_MEMBERS: list[_Change] = [
    lambda _, __: {"client_refs": {}},
    lambda _, mark: {"client_refs": [mark]},
    lambda _, mark: {"client_refs": {mark: {"deep": "\0"}}},
    lambda _, mark: {"client_refs": {"surrogate": f"\ud800{mark}"}},
    lambda _, mark: {"client_type": f"\n{mark}"},
    lambda _, mark: {"client_type": mark * 20},
    lambda _, __: {"size_bytes": -1},
    lambda _, mark: {"size_bytes": mark},
    lambda _, __: {"size_bytes": 2**63},
    lambda _, mark: {"content_hash": f"sha1:{mark}"},
    lambda _, __: {"overwrite": "yes"},
    lambda _, __: {"processing": "failed"},
    lambda _, mark: {"stage": mark},
    lambda _, mark: {"run_id": mark},
    lambda _, __: {"expires_at": "9999-12-31T23:59:59Z"},
    lambda _, mark: {"uri": "https://host/" + mark * 5000},
    lambda _, mark: {"metadata": {"text": f"\0{mark}"}},
    lambda _, mark: {"id": mark, "dequeueCount": 99},
    lambda _, mark: {"artifact_id": mark},
    lambda blob, _: {"storage_account": blob.account},
]
_ELSEWHERE: list[tuple[_Change, str]] = [
    (lambda blob, mark: _left_to_us(blob, blob_path=f"gone/{mark}"), NOT_FOUND),
    (lambda blob, mark: _left_to_us(blob, container=f"no-such-{mark}"), NOT_FOUND),
    (lambda blob, mark: _left_to_us(blob, blob_etag=f"0x{mark}"), "invalid_input"),
    (lambda blob, _: _left_to_us(blob, size_bytes=2**40), "invalid_input"),
    (lambda _, __: {**STANDING, "content_hash": "0" * 64}, "artifact_conflict"),
]


def _left_to_us(blob: BlobReference, **changes: Any) -> dict[str, Any]:
    """Where the bytes are, and no word of what they hash to."""
    place = {"storage_account": blob.account, "container": blob.container, "blob_path": blob.path}
    return {**place, **changes}


def _with(change: _Change) -> Make:
    def make(blob: BlobReference, mark: str) -> str:
        told = {"client_type": "sent", "client_refs": {"name": f"bad {mark}"}}
        return json.dumps({**told, "source_job_id": mark, **change(blob, mark)})

    return make


def bad_registrations(blob: BlobReference, count: int) -> Iterator[BadMessage]:
    """So many, all different, of each kind in turn."""
    kinds = [
        *((make, MALFORMED) for make in NO_MESSAGES),
        *((_with(change), MALFORMED) for change in _MEMBERS),
        *((_with(change), reason) for change, reason in _ELSEWHERE),
    ]
    for number, (make, reason) in enumerate(islice(cycle(kinds), count)):
        yield BadMessage(make(blob, f"{number:05}"), reason)
