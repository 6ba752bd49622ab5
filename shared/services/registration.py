"""Registering artifacts: one, or a thousand at once."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic import TypeAdapter

from shared.database.constraints import constraint_errors
from shared.database.pool import Database
from shared.errors import ArtifactConflict, InvalidInput
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
from shared.services.registration_batches import register_all, register_items
from shared.telemetry.metrics import REGISTRATIONS
from shared.telemetry.traces import span

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
        with span("register artifact") as step:
            with self._database.connection() as connection, constraint_errors():
                registered = do_in_transaction(
                    connection,
                    idempotency,
                    self._clock(),
                    TypeAdapter(Registration),
                    lambda: _accepted(ArtifactRepository(connection).register(request)),
                )
            step.set_attribute("registry.outcome", registered.outcome)
            step.set_attribute("registry.artifact_id", str(registered.artifact.artifact_id))
        _count(registered)
        return registered

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
        with _registering(requests):
            items = self._register_in_transaction(requests, idempotency, atomic=atomic)
        return _counted(items)

    def register_each(
        self, asked: Sequence[tuple[ArtifactRegistration, Origin]]
    ) -> list[BatchItem]:
        """Register artifacts that several callers asked for, each for itself, in one go.

        What failed is in its place in the answer, DatabaseUnavailable where an asset was locked by
        others for too long.
        """
        requests = [self._registration_request(one, origin) for one, origin in asked]
        with _registering(requests), self._database.connection() as connection:
            items = register_items(connection, requests)
        return _counted(items)

    def _register_in_transaction(
        self,
        requests: Sequence[Mapping[str, Any]],
        idempotency: IdempotencyKey | None,
        *,
        atomic: bool,
    ) -> list[BatchItem]:
        register = register_all if atomic else register_items
        with self._database.connection() as connection, connection.transaction():
            if idempotency is None:
                return register(connection, requests)
            return do_once(
                connection,
                idempotency,
                self._clock(),
                TypeAdapter(list[BatchItem]),
                lambda: register(connection, requests),
            )

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


def _registering(requests: Sequence[object]) -> AbstractContextManager[object]:
    return span("register artifacts", facts={"registry.artifacts": len(requests)})


def _count(registered: Registration) -> None:
    REGISTRATIONS.add(1, {"outcome": registered.outcome})


def _counted(items: list[BatchItem]) -> list[BatchItem]:
    for item in items:
        if item.registration is not None:
            _count(item.registration)
    return items


def _accepted(registered: Registration) -> Registration:
    if registered.outcome is Outcome.CONFLICT:
        raise ArtifactConflict(registered.artifact.artifact_id)
    return registered
