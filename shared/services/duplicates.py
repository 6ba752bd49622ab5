"""Finding the same bytes, whoever registered them."""

import hashlib
from collections.abc import Mapping
from uuid import UUID

from pydantic import JsonValue

from shared.database.pool import Database
from shared.errors import InvalidInput
from shared.models.artifacts import Artifact
from shared.models.chains import MAXIMUM_PAGE, Page
from shared.models.client_refs import canonical_refs
from shared.models.content_hash import ContentHash, parse_content_hash
from shared.models.cursors import foreign_cursor, read_cursor, write_cursor
from shared.models.decisions import OverwriteDecision, decide
from shared.models.duplicates import DuplicateGroups
from shared.models.text import keepable_json
from shared.repositories.duplicates import BEFORE_ALL, DuplicateRepository, Held
from shared.repositories.statistics import StatisticsRepository
from shared.services.asked import as_kept, require_page
from shared.services.statistics import fold_batches


class DuplicateReads:
    """Questions about content hashes. A hash that is not known equals none."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def check_duplicate_content(
        self, client_type: str, client_refs: Mapping[str, JsonValue], content_hash: str | None
    ) -> Artifact | None:
        """The current artifact of exactly this asset, if it holds these bytes.

        Raises InvalidInput for what is no content hash, and for references that cannot be.
        """
        wanted = _known_hash(content_hash)
        current = self._current_of(client_type, client_refs)
        is_same = wanted is not None and current is not None and current.content_hash == wanted
        return current if is_same else None

    def find_duplicates(
        self, content_hash: str | None, *, limit: int = MAXIMUM_PAGE, cursor: str | None = None
    ) -> Page:
        """Artifacts of any client that hold these bytes, deleted ones left out.

        In the order of their assets, oldest first. Raises InvalidInput for what is no content
        hash, for a limit outside 1 to MAXIMUM_PAGE, and for a cursor of another hash.
        """
        require_page(limit)
        wanted = _known_hash(content_hash)
        if wanted is None:
            return Page([], None)
        name = f"holding-{wanted}"
        after = BEFORE_ALL if cursor is None else _read_held(name, cursor)
        with self._database.connection() as connection:
            artifacts = DuplicateRepository(connection).holding(
                wanted, after=after, limit=limit + 1
            )
        kept = artifacts[:limit]
        if len(artifacts) == len(kept):
            return Page(kept, None)
        return Page(kept, write_cursor(name, f"{kept[-1].asset_id} {kept[-1].artifact_id}"))

    def list_duplicate_groups(
        self,
        *,
        client_type: str | None = None,
        across_clients: bool = False,
        limit: int = 20,
        cursor: str | None = None,
    ) -> DuplicateGroups:
        """Contents that more than one asset holds, and what the copies cost.

        With `client_type` those in which this client has a part, with `across_clients` those of
        several clients. A page may hold fewer than `limit` groups, even none, while `next` is not
        null: each looks at a bounded number of groups. Of a content that more than 1,000 artifacts
        hold, 1,000 are looked at.

        Raises InvalidInput for a limit outside 1 to MAXIMUM_PAGE, and for a cursor of another list.
        """
        require_page(limit)
        wanted = None if client_type is None else as_kept("client_type", client_type)
        asked = hashlib.sha256(repr((wanted, across_clients)).encode()).hexdigest()[:16]
        after = "" if cursor is None else _read_hash(f"groups-{asked}", cursor)
        with self._database.connection() as connection:
            fold_batches(StatisticsRepository(connection), at_least=1)
            page = DuplicateRepository(connection).groups(
                after=after, client_type=wanted, across_clients=across_clients, limit=limit
            )
        goes_on = write_cursor(f"groups-{asked}", page.next) if page.next else None
        return DuplicateGroups(groups=page.groups, next=goes_on)

    def decide_overwrite(
        self,
        client_type: str,
        client_refs: Mapping[str, JsonValue],
        *,
        content_hash: str | None,
        metadata: Mapping[str, JsonValue],
    ) -> OverwriteDecision:
        """What is to be done about bytes of this hash with these titles, tags and the like.

        Compared with the current artifact of exactly this asset, so that a pipeline can ask before
        it processes. Only the given keys of the metadata are compared: as JSON values, lists in
        their order, and as registering would keep them.
        """
        wanted = _known_hash(content_hash)
        given = _keepable_metadata(metadata)
        return decide(self._current_of(client_type, client_refs), wanted, given)

    def _current_of(
        self, client_type: str, client_refs: Mapping[str, JsonValue]
    ) -> Artifact | None:
        refs = canonical_refs(client_refs)
        known_type = as_kept("client_type", client_type)
        with self._database.connection() as connection:
            return DuplicateRepository(connection).current_of(known_type, refs)


def _known_hash(content_hash: str | None) -> ContentHash | None:
    if not content_hash:
        return None
    try:
        return parse_content_hash(content_hash)
    except InvalidInput as fault:
        raise InvalidInput(fault.summary, "/content_hash") from None


def _keepable_metadata(metadata: Mapping[str, JsonValue]) -> dict[str, JsonValue]:
    try:
        kept = keepable_json(dict(metadata))
    except ValueError as error:
        raise InvalidInput(f"metadata: {error}", "/metadata") from None
    assert isinstance(kept, dict)  # noqa: S101 - an object stays one
    return kept


def _read_held(name: str, cursor: str) -> Held:
    asset_id, _, artifact_id = read_cursor(name, cursor).partition(" ")
    try:
        return Held(UUID(asset_id), UUID(artifact_id))
    except ValueError:
        raise foreign_cursor() from None


def _read_hash(name: str, cursor: str) -> ContentHash:
    try:
        return parse_content_hash(read_cursor(name, cursor))
    except InvalidInput:
        raise foreign_cursor() from None
