"""Registering many artifacts in one statement, and one at a time where that cannot be."""

import json
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any

from psycopg import Connection
from psycopg.errors import LockNotAvailable
from psycopg.pq import TransactionStatus
from psycopg.rows import DictRow

from shared.database.constraints import constraint_errors
from shared.errors import (
    ArtifactConflict,
    BatchRefused,
    DatabaseUnavailable,
    RegistryError,
    Retryable,
)
from shared.models.registrations import BatchItem, Outcome, Registration
from shared.repositories.artifacts import ArtifactRepository


def register_all(
    connection: Connection[DictRow], requests: Sequence[Mapping[str, Any]]
) -> list[BatchItem]:
    """All of them or none: raises BatchRefused, which has every item at fault."""
    items = register_items(connection, requests)
    refused = {place: item.error for place, item in enumerate(items) if item.error}
    if refused:
        raise BatchRefused(refused)  # ends the transaction, hence undoes the others
    return items


def register_items(
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
