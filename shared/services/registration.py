"""Registering artifacts: one, or a thousand at once."""

import json
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from datetime import datetime
from typing import Any
from uuid import UUID

from psycopg import Connection
from psycopg.errors import LockNotAvailable
from psycopg.pq import TransactionStatus
from psycopg.rows import DictRow
from pydantic import TypeAdapter

from shared.database.constraints import constraint_errors
from shared.database.pool import Database
from shared.errors import (
    ArtifactConflict,
    BatchRefused,
    DatabaseUnavailable,
    InvalidInput,
    RegistryError,
    Retryable,
)
from shared.models.artifacts import Artifact, ArtifactContent, ArtifactRegistration
from shared.models.ids import new_id
from shared.models.registrations import (
    UNATTRIBUTED,
    BatchItem,
    IdempotencyKey,
    Origin,
    Outcome,
    Registration,
)
from shared.repositories.artifacts import ArtifactRepository, Observation
from shared.services.idempotency import do_in_transaction, do_once

MAXIMUM_BATCH = 1000
"""Registrations that one batch holds at most."""

_CONTENT = set(ArtifactContent.model_fields) | {"processing", "stage"}
_REQUEST = {"client_type", "client_refs", "overwrite", "register_unchanged"}


class ArtifactRegistrations:
    """Every call is one transaction."""

    def __init__(self, database: Database, clock: Callable[[], datetime]) -> None:
        self._database = database
        self._clock = clock

    def create_artifact(self, *, origin: Origin = UNATTRIBUTED, **fields: Any) -> Artifact:
        """Register an artifact from keywords: the fields of `ArtifactRegistration`.

        Answers with the new artifact, or with the current one where that holds the same bytes.

        Raises ArtifactConflict where a current artifact exists and `overwrite` is not set, and
        pydantic's ValidationError where a keyword is unknown or its value is not valid.
        """
        return self.register(ArtifactRegistration.model_validate(fields), origin).artifact

    def register(
        self,
        registration: ArtifactRegistration,
        origin: Origin = UNATTRIBUTED,
        observation: Observation | None = None,
        *,
        once_per_state: bool = True,
        artifact_id: UUID | None = None,
        idempotency: IdempotencyKey | None = None,
    ) -> Registration:
        """Register an artifact: one transaction; one round trip without an idempotency key.

        `observation` orders registrations of one blob by what was in the store when; without one
        the caller's word stands. With `once_per_state`, an etag that was registered for the asset
        is settled for good, a deleted one included. A caller whose request may be repeated gives
        it the same `artifact_id` each time: the first one counts.

        Raises ArtifactConflict, naming the artifact in the way; with an idempotency key also
        RequestInFlight and IdempotencyKeyReused.
        """
        request = self._registration_request(registration, origin)
        request["once_per_state"] = once_per_state
        request["is_repeatable"] = artifact_id is not None
        request["artifact"]["observation"] = observation.number if observation else None
        if artifact_id:
            request["artifact"]["artifact_id"] = str(artifact_id)
        with self._database.connection() as connection, constraint_errors():
            return do_in_transaction(
                connection,
                idempotency,
                self._clock(),
                TypeAdapter(Registration),
                lambda: _accepted(ArtifactRepository(connection).register(request)),
            )

    def register_batch(
        self,
        registrations: Sequence[ArtifactRegistration],
        origin: Origin = UNATTRIBUTED,
        *,
        atomic: bool,
        idempotency: IdempotencyKey | None = None,
    ) -> list[BatchItem]:
        """Register up to `MAXIMUM_BATCH` artifacts; answers in their order.

        With `atomic`, all of them or none: raises BatchRefused, which has every item at fault.
        Otherwise each for itself, and what failed is in its place in the answer. Several for one
        asset are registered in the order in which they stand.

        Raises InvalidInput for an empty or too long list, what an idempotency key may raise, and,
        with `atomic` or such a key, DatabaseUnavailable where an asset was locked for too long.
        """
        if not 1 <= len(registrations) <= MAXIMUM_BATCH:
            raise InvalidInput(f"A batch has 1 to {MAXIMUM_BATCH} artifacts.", "/artifacts")
        if idempotency is None and not atomic:
            return self.register_each([(one, origin) for one in registrations])
        requests = [self._registration_request(one, origin) for one in registrations]
        with self._database.connection() as connection, connection.transaction():
            if idempotency is None:
                return _register_all(connection, requests)
            register = _register_all if atomic else _register_items
            return do_once(
                connection,
                idempotency,
                self._clock(),
                TypeAdapter(list[BatchItem]),
                lambda: register(connection, requests),
            )

    def register_each(
        self, asked: Sequence[tuple[ArtifactRegistration, Origin]]
    ) -> list[BatchItem]:
        """Register artifacts that several callers asked for, each for itself, in one go.

        What failed is in its place in the answer, DatabaseUnavailable where an asset was locked by
        others for too long.
        """
        requests = [self._registration_request(one, origin) for one, origin in asked]
        with self._database.connection() as connection:
            return _register_items(connection, requests)

    def _registration_request(
        self, registration: ArtifactRegistration, origin: Origin
    ) -> dict[str, Any]:
        """What `registry.register_artifact` takes, for a sender's own word."""
        told = registration.model_dump(mode="json")
        content = {name: told[name] for name in _CONTENT}
        return {name: told[name] for name in _REQUEST} | {
            "asset_id": str(new_id()),
            "origin": origin.as_json(),
            "once_per_state": True,
            "is_repeatable": False,
            "artifact": content
            | {"artifact_id": str(new_id()), "created_at": self._clock().isoformat()},
        }


def _accepted(registered: Registration) -> Registration:
    if registered.outcome is Outcome.CONFLICT:
        raise ArtifactConflict(registered.artifact.artifact_id)
    return registered


def _register_all(
    connection: Connection[DictRow], requests: Sequence[Mapping[str, Any]]
) -> list[BatchItem]:
    items = _register_items(connection, requests)
    refused = {place: item.error for place, item in enumerate(items) if item.error}
    if refused:
        raise BatchRefused(refused)  # ends the transaction, hence undoes the others
    return items


def _register_items(
    connection: Connection[DictRow], requests: Sequence[Mapping[str, Any]]
) -> list[BatchItem]:
    """All in one go; one at a time where a single one, unknown which, stops the others.

    It breaks a constraint, or waits too long for an asset that others have locked. Within a
    transaction such a wait ends all of it: what is given may not hold for half of a batch, and a
    thousand waits would keep everybody from the assets that are locked already.
    """
    try:
        with _undone_alone(connection), constraint_errors():
            registered = ArtifactRepository(connection).register_batch(requests)
    except RegistryError:
        return _register_one_by_one(connection, requests)
    except LockNotAvailable:
        if not _is_alone(connection):
            raise
        return _register_one_by_one(connection, requests)
    return [_item(registration) for registration in registered]


def _register_one_by_one(
    connection: Connection[DictRow], requests: Sequence[Mapping[str, Any]]
) -> list[BatchItem]:
    if _is_alone(connection):
        return _register_unless_held(connection, requests)
    order = ArtifactRepository(connection).prepare_one_by_one(requests)
    items = {place: _register_item(connection, requests[place]) for place in order}
    return [items[place] for place in range(len(requests))]


def _register_unless_held(
    connection: Connection[DictRow], requests: Sequence[Mapping[str, Any]]
) -> list[BatchItem]:
    """Wait for an asset that others hold once, however many of the requests are about it."""
    held: dict[str, BatchItem] = {}
    items: list[BatchItem] = []
    for request in requests:
        asset = json.dumps([request["client_type"], request["client_refs"]], sort_keys=True)
        item = held.get(asset) or _register_item(connection, request)
        if isinstance(item.error, Retryable):
            held[asset] = item
        items.append(item)
    return items


def _register_item(connection: Connection[DictRow], request: Mapping[str, Any]) -> BatchItem:
    try:
        with _undone_alone(connection), constraint_errors():
            return _item(ArtifactRepository(connection).register(request))
    except RegistryError as error:
        return BatchItem(None, error)
    except LockNotAvailable:
        if not _is_alone(connection):
            raise
        return BatchItem(None, DatabaseUnavailable("Others have locked the asset for too long."))


def _undone_alone(connection: Connection[DictRow]) -> AbstractContextManager[object]:
    """A savepoint, so that a statement that fails undoes no other; nothing where it is alone."""
    return nullcontext() if _is_alone(connection) else connection.transaction()


def _is_alone(connection: Connection[DictRow]) -> bool:
    """Whether the next statement is a transaction of its own."""
    return connection.info.transaction_status is TransactionStatus.IDLE


def _item(registered: Registration) -> BatchItem:
    if registered.outcome is Outcome.CONFLICT:
        return BatchItem(None, ArtifactConflict(registered.artifact.artifact_id))
    return BatchItem(registered, None)
