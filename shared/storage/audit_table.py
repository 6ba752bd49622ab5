"""The tables of a storage account that hold the audit trail, one a month; only added to."""

# The SDK's **kwargs carry no types.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false

import json
import logging
import re
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import date
from functools import partial
from itertools import groupby
from typing import Any

from azure.core.exceptions import (
    HttpResponseError,
    ResourceExistsError,
    ResourceNotFoundError,
)
from azure.data.tables import TableClient, TableTransactionError

from shared.models.audit_entities import Entity, EntityKey, key_of
from shared.storage.account import Account, table_service
from shared.storage.faults import account_faults
from shared.storage.patience import CHECK_OPTIONS

_LOGGER = logging.getLogger(__name__)

_MOST_ENTITIES = 100
_MOST_BYTES = 3 * 1024**2
"""Of one transaction, which takes 100 entities and 4 MiB with everything around them."""
_WRITERS = 8
_NOT_FOUND = 404
_FORBIDDEN = 403
_PAGE = 1000
"""Entities that the service answers with at once, at most."""


class AuditTable:
    """The trail's tables, `<prefix>YYYYMM`, in one account.

    Any number of threads may ask. Whatever is called raises StorageUnavailable where the service
    is not there.
    """

    def __init__(self, account: Account, prefix: str) -> None:
        self._service = table_service(account)
        self._prefix = prefix

    def check(self) -> None:
        """Return within seconds when the service answers; raises StorageUnavailable."""
        with account_faults():
            next(iter(self._service.query_tables("TableName eq 'none'", **CHECK_OPTIONS)), None)

    def insert(self, month: date, entities: Sequence[Entity]) -> None:
        """Insert entities, and leave those that are there as they are. Makes the month's table.

        Killed on the way, some are inserted, of each partition the oldest: to be called again with
        the same ones.
        """
        partitions = list(_partitions(entities))
        client = self._table(month)
        with account_faults(), ThreadPoolExecutor(min(_WRITERS, len(partitions) or 1)) as writers:
            insert = partial(_insert_all, client)
            try:
                list(writers.map(insert, partitions))
            except HttpResponseError as fault:
                if fault.status_code != _NOT_FOUND:
                    raise
                with suppress(ResourceExistsError):
                    client.create_table()
                list(writers.map(insert, partitions))

    def get(self, month: date, key: EntityKey) -> Entity | None:
        """One entity; None where there is none."""
        with account_faults():
            try:
                return dict(self._table(month).get_entity(key.partition, key.row))
            except ResourceNotFoundError:
                return None

    def pages(
        self,
        month: date,
        conditions: str,
        values: dict[str, Any],
        *,
        most: int = _PAGE,
        only: list[str] | None = None,
    ) -> Iterator[list[Entity]]:
        """The entities that satisfy an OData filter, in the order of their keys, page by page.

        `@name` in the filter stands for one of `values`; `only` names the properties that are
        wanted. A page may be empty, and another follow: the service ends one after a thousand
        entities, or after five seconds. None of a month that has no table.
        """
        found = self._table(month).query_entities(
            conditions, parameters=values, results_per_page=most, select=only
        )
        pages = found.by_page()
        while True:
            with account_faults():
                try:
                    page = [dict(entity) for entity in next(pages)]
                except (StopIteration, ResourceNotFoundError):
                    return
            yield page

    def months(self) -> list[date]:
        """The months that have a table, newest first."""
        with account_faults():
            names = [table.name for table in self._service.list_tables()]
        # A table of another name, also of a month that there cannot be, nobody reads.
        own = re.compile(f"{self._prefix}([1-9][0-9]{{3}})(0[1-9]|1[0-2])", re.IGNORECASE)
        found = [own.fullmatch(name) for name in names]
        return sorted((date(int(one[1]), int(one[2]), 1) for one in found if one), reverse=True)

    def drop(self, month: date) -> bool:
        """Delete a month's table, if there is one, with all that it holds; False: we may not."""
        with account_faults():
            try:
                self._service.delete_table(self._name(month))
            except HttpResponseError as fault:
                if fault.status_code != _FORBIDDEN:
                    raise
                return False
        return True

    def _name(self, month: date) -> str:
        return f"{self._prefix}{month:%Y%m}"

    def _table(self, month: date) -> TableClient:
        return self._service.get_table_client(self._name(month))


def _insert_all(client: TableClient, portions: Iterable[Sequence[Entity]]) -> None:
    for portion in portions:
        _insert(client, portion)


def _insert(client: TableClient, entities: Sequence[Entity]) -> None:
    """In one transaction where that is possible, else one by one."""
    if len(entities) > 1:
        try:
            client.submit_transaction(("create", entity) for entity in entities)
        except TableTransactionError as fault:
            # One that is there already keeps the others out, which another relay, or a process
            # that was killed, may not have inserted yet.
            if fault.status_code not in {400, 409, 413}:
                raise
        else:
            return
    for entity in entities:
        try:
            client.create_entity(entity)
        except ResourceExistsError:
            _compare(client, entity)


def _compare(client: TableClient, entity: Entity) -> None:
    """It is there already because somebody was killed, or because somebody forged it."""
    partition, row = key_of(entity)
    if dict(client.get_entity(partition, row)) != entity:
        _LOGGER.error("another entity is in its place: partition=%s row=%s", partition, row)


def _partitions(entities: Iterable[Entity]) -> Iterator[list[list[Entity]]]:
    """What each partition is to hold, in portions; oldest first, which is the last by its key."""
    ordered = sorted(entities, key=key_of, reverse=True)
    for _, of_partition in groupby(ordered, lambda entity: key_of(entity).partition):
        yield list(_portions(of_partition))


def _portions(of_partition: Iterable[Entity]) -> Iterator[list[Entity]]:
    """What a transaction takes: so many, and so large."""
    portion: list[Entity] = []
    size = 0
    for entity in of_partition:
        own = len(json.dumps(entity))
        if portion and (len(portion) == _MOST_ENTITIES or size + own > _MOST_BYTES):
            yield portion
            portion, size = [], 0
        portion.append(entity)
        size += own
    if portion:
        yield portion
