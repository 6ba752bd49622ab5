"""Tells the audit trail of requests that left nothing in it: refused, failed, or reading."""

import asyncio
import logging
from collections.abc import Mapping
from functools import partial
from typing import Any, NamedTuple, cast
from uuid import UUID

from pydantic import JsonValue
from starlette.types import ASGIApp, Receive, Scope, Send

from functions.http.attempted import CHANGING, READING
from functions.http.entry import Entry
from functions.http.problems import Refusal
from functions.http.worker_threads import in_worker_thread
from shared.errors import InvalidInput
from shared.models.attempts import ANONYMOUS, Attempt, Doing
from shared.models.ids import parse_id
from shared.models.registrations import Origin
from shared.services.pace import Quota

ANONYMOUS_A_MINUTE = 60
"""Requests of nobody that a process writes events of: a flood must not fill the trail."""

_MINUTE = 60.0
_PATIENCE_SECONDS = 3.0
"""Who writes an event gives up sooner, but for a statement that PgBouncer has no server for: that
goes on by itself, and nobody waits for it."""
_MOST_ERRORS = 20
_NO_DATABASE = "database-unavailable"

_LOGGER = logging.getLogger(__name__)


class _Subjects(NamedTuple):
    """What a request is about, and what it said beside."""

    artifact_id: UUID | None
    run_id: UUID | None
    details: dict[str, JsonValue]


class Attempts:
    """Surrounds every request, and tells before the host gets its answer.

    A request that changed something pays nothing for it: its event is written already, and all
    that is left is to wake who moves it into the trail.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._anonymous = Quota(ANONYMOUS_A_MINUTE, _MINUTE)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._app(scope, receive, send)
        entry: Entry | None = scope["state"].get("entry")
        if entry is None:  # nobody asked for anything that needs a credential
            return
        try:
            await self._tell(scope, entry)
        except Exception:
            request_id = scope["state"]["request_id"]
            _LOGGER.warning("attempt not recorded: request_id=%s", request_id, exc_info=True)

    async def _tell(self, scope: Scope, entry: Entry) -> None:
        operation_id = scope["route"].operation_id
        if doing := CHANGING.get(operation_id):
            await self._tell_of_change(scope, entry, doing)
        elif operation_id in READING and entry.is_open and entry.registry.settings.audit_reads:
            await _tell_of_read(scope, entry)

    async def _tell_of_change(self, scope: Scope, entry: Entry, doing: Doing) -> None:
        refusal: Refusal | None = scope["state"].get("refusal")
        if refusal is not None and refusal.name != _NO_DATABASE:
            await self._tell_of_refusal(scope, entry, doing, refusal)
        elif entry.is_open:
            entry.registry.audit.kick.changed()

    async def _tell_of_refusal(
        self, scope: Scope, entry: Entry, doing: Doing, refusal: Refusal
    ) -> None:
        left_out = 0
        if entry.actor is None:
            admitted = self._anonymous.admit()
            if admitted is None:
                return
            left_out = admitted
        about = _subjects(scope, refusal.members)
        details = about.details | ({"left_out": left_out} if left_out else {})
        attempt = Attempt(
            doing=doing,
            origin=Origin(entry.actor or ANONYMOUS, scope["state"]["request_id"]),
            error=f"{refusal.name}: {refusal.detail}",
            artifact_id=about.artifact_id,
            run_id=about.run_id,
            details=details,
        )
        await _record(entry, attempt)


async def _tell_of_read(scope: Scope, entry: Entry) -> None:
    if "refusal" in scope["state"]:
        return
    about = _subjects(scope, {})
    attempt = Attempt(
        doing=Doing("artifact_read", "read"),
        origin=entry.origin,
        artifact_id=about.artifact_id or scope["state"].get("artifact_id"),
        run_id=about.run_id,
        details=about.details,
    )
    await _record(entry, attempt)


async def _record(entry: Entry, attempt: Attempt) -> None:
    recording = asyncio.ensure_future(in_worker_thread(partial(_record_and_wake, entry, attempt)))
    await asyncio.wait_for(asyncio.shield(recording), _PATIENCE_SECONDS)


def _record_and_wake(entry: Entry, attempt: Attempt) -> None:
    audit = entry.build().audit
    audit.attempts.record(attempt)
    audit.kick.changed()


def _subjects(scope: Scope, members: Mapping[str, Any]) -> _Subjects:
    """Of the path, and of what the answer names: the artifact that is in the way, for example."""
    given: dict[str, Any] = {**members, **scope["path_params"]}
    artifact = given.pop("artifact_id", None) or given.get("current_artifact_id")
    artifact_id, run_id = _id(artifact), _id(given.pop("build_id", None))
    told = {name: _told(value) for name, value in given.items()}
    if artifact is not None and artifact_id is None:
        told["artifact_id"] = str(artifact)
    return _Subjects(artifact_id, run_id, told)


def _id(given: object) -> UUID | None:
    try:
        return None if given is None else parse_id(str(given))
    except InvalidInput:
        return None


def _told(value: Any) -> JsonValue:
    return cast("list[JsonValue]", value)[:_MOST_ERRORS] if isinstance(value, list) else value
