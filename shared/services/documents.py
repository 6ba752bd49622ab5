"""Documents: one version each, compared before they are changed, and changed as a whole."""

import json
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic

from psycopg import Connection
from psycopg.rows import DictRow

from shared.database.constraints import constraint_errors
from shared.database.pool import Database
from shared.errors import InvalidInput, PreconditionFailed, RegistryError
from shared.models.documents import (
    MAXIMUM_ITEMS,
    Document,
    DocumentChanges,
    DocumentItem,
    Item,
    UnreadableItem,
)
from shared.models.registrations import UNATTRIBUTED, Origin
from shared.repositories.documents import DocumentRepository
from shared.services.transitions import ANY_STATE, require_state

MAXIMUM_BYTES = 1_000_000
"""Of a document as JSON: whatever can be exported fits into the request that applies it."""

Tags = Collection[str] | None


@dataclass(frozen=True)
class DocumentKind(Generic[Item]):
    """What tells one kind of documents from others."""

    item: type[Item]
    plural: str
    changes: type[DocumentChanges[Item]]
    repository: Callable[[Connection[DictRow]], DocumentRepository[Item]]
    unknown: type[RegistryError]
    """Raised where no item has a name."""

    def version_tag(self, version: int) -> str:
        """The entity tag of a whole document, without quotes."""
        return f"{self.plural}-{version}"


class DocumentService(Generic[Item]):
    """All items of a kind are one document of one version.

    Every change is one transaction, advances the version, and writes one audit event an item.
    Changing nothing leaves no trace. Items that only another version of the registry can read are
    shown and replaced like any, but nobody goes by them. `if_match` holds entity tags of the states
    in which the change is wanted; PreconditionFailed is raised in every other.
    """

    def __init__(
        self, database: Database, clock: Callable[[], datetime], kind: DocumentKind[Item]
    ) -> None:
        self._database = database
        self._clock = clock
        self._kind = kind

    def get(self, name: str) -> Item | UnreadableItem:
        """One item; raises the error of those that are unknown."""
        with self._database.connection() as connection:
            item = self._kind.repository(connection).get(name)
        if item is None:
            raise self._kind.unknown
        return item

    def put(
        self, item: Item, origin: Origin = UNATTRIBUTED, *, if_match: Tags = None
    ) -> DocumentChanges[Item]:
        """Add one item, or replace that of its name; entity tags are those of this item.

        Raises PreconditionFailed where there is a condition but no such item.
        """

        def wanted(seen: Document[Item]) -> Sequence[Item | UnreadableItem]:
            present, others = part(seen, item.name)
            if if_match is not None and present is None:
                raise PreconditionFailed
            if present is not None:
                require_state(present, if_match)
            return [*others, item]

        return self._change([item], wanted, origin)

    def remove(
        self, name: str, origin: Origin = UNATTRIBUTED, *, if_match: Tags = None
    ) -> DocumentChanges[Item]:
        """Forget one item; entity tags are those of this item. Raises as `get` does."""

        def wanted(seen: Document[Item]) -> Sequence[Item | UnreadableItem]:
            present, others = part(seen, name)
            if present is None:
                raise self._kind.unknown
            require_state(present, if_match)
            return others

        return self._change([], wanted, origin)

    def _read(self) -> Document[Item]:
        with self._database.connection() as connection:
            return self._kind.repository(connection).read()

    def _replace(
        self, items: Sequence[Item], origin: Origin, *, if_match: Tags, dry_run: bool
    ) -> DocumentChanges[Item]:
        """Make these all items; a dry run only tells what would change."""

        def wanted(seen: Document[Item]) -> Sequence[Item | UnreadableItem]:
            tags = {ANY_STATE, self._kind.version_tag(seen.version)}
            if if_match is not None and not tags & {*if_match}:
                raise PreconditionFailed
            return items

        return self._change(items, wanted, origin, dry_run=dry_run)

    def _change(
        self,
        given: Sequence[Item],
        wanted: Callable[[Document[Item]], Sequence[Item | UnreadableItem]],
        origin: Origin,
        *,
        dry_run: bool = False,
    ) -> DocumentChanges[Item]:
        with self._database.connection() as connection, connection.transaction():
            repository = self._kind.repository(connection)
            if not dry_run:
                repository.hold(given)
            seen = repository.read()
            items = wanted(seen)
            self._check_size(items)
            changes = self._kind.changes.between(seen, items)
            self._check(items, changes)
            if dry_run or not changes.are_any:
                return changes
            return self._make(repository, changes, origin)

    def _check(
        self, items: Sequence[Item | UnreadableItem], changes: DocumentChanges[Item]
    ) -> None:
        """Raise where these changes, after which these are all items, may not be made."""

    def _check_size(self, items: Sequence[DocumentItem]) -> None:
        if len(items) > MAXIMUM_ITEMS:
            raise InvalidInput(f"There are at most {MAXIMUM_ITEMS} {self._kind.plural}.")
        told = [item.as_json() for item in items]
        if len(json.dumps(told, separators=(",", ":"))) > MAXIMUM_BYTES:
            raise InvalidInput(
                f"All {self._kind.plural} together have at most {MAXIMUM_BYTES} bytes as JSON."
            )

    def _make(
        self, repository: DocumentRepository[Item], changes: DocumentChanges[Item], origin: Origin
    ) -> DocumentChanges[Item]:
        with constraint_errors():
            repository.remove([item.name for item in changes.removed])
            repository.keep([*changes.added, *(change.after for change in changes.changed)])
        repository.record_events(origin, self._clock(), list(self._events(changes)))
        return changes.model_copy(update={"version": repository.advance()})

    def _events(self, changes: DocumentChanges[Item]) -> Iterable[Mapping[str, Any]]:
        for item in changes.removed:
            yield self._event("removed", item.name, before=item)
        for item in changes.added:
            yield self._event("created", item.name, after=item)
        for change in changes.changed:
            yield self._event("changed", change.name, before=change.before, after=change.after)

    def _event(self, what: str, name: str, **states: DocumentItem) -> Mapping[str, Any]:
        told = {state: item.as_json() for state, item in states.items()}
        noun = self._kind.item.noun
        return {"operation": f"{noun}_{what}", "details": {noun: name, **told}}


def part(
    document: Document[Item], name: str
) -> tuple[Item | UnreadableItem | None, list[Item | UnreadableItem]]:
    """The item of this name, and all others."""
    of_name = next((item for item in document.items if item.name == name), None)
    return of_name, [item for item in document.items if item.name != name]
