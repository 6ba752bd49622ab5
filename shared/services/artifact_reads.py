"""Finding artifacts: by id, by client references, by STAC item, by job, along their chain."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from pydantic import JsonValue

from shared.database.pool import Database
from shared.errors import ArtifactNotFound, TooManyMatches
from shared.models.artifacts import Artifact
from shared.models.assets import Asset
from shared.models.chains import (
    MAXIMUM_PAGE,
    Chain,
    Direction,
    History,
    Match,
    MatchedArtifact,
    Page,
)
from shared.models.client_refs import canonical_refs
from shared.models.cursors import name_list, read_cursor, read_number, write_cursor
from shared.models.ids import ArtifactId, AssetId, parse_id
from shared.repositories.artifacts import ArtifactRepository
from shared.repositories.assets import BEYOND_REVISIONS, AssetRepository
from shared.services.asked import as_kept, require_page

MAXIMUM_MATCHES = 100
"""Assets counted for partial references; the count stops there."""

_FIRST_ID = UUID(int=0)
_BEFORE_POSITIONS = -(2**31)


class ArtifactReads:
    """Reads that an operator makes. Every list is a page of at most `MAXIMUM_PAGE`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def get_by_id(self, artifact_id: UUID) -> Artifact:
        """One artifact; raises ArtifactNotFound."""
        with self._database.connection() as connection:
            return _found(ArtifactRepository(connection).get(artifact_id))

    def get_each(self, artifact_ids: Sequence[UUID]) -> list[Artifact | ArtifactNotFound]:
        """The artifacts of these ids, in their places; where there is none, the error."""
        with self._database.connection() as connection:
            found = ArtifactRepository(connection).get_each(artifact_ids)
        return [found.get(artifact_id) or ArtifactNotFound() for artifact_id in artifact_ids]

    def get_by_client_refs(
        self,
        client_type: str,
        client_refs: Mapping[str, JsonValue],
        *,
        include_superseded: bool = False,
    ) -> MatchedArtifact:
        """The current artifact of the asset of these references.

        That is the asset of exactly these, else the oldest with a current artifact among those
        whose references contain them: the answer says which, and how many assets matched. With
        `include_superseded` it is the newest revision, whatever became of it, of the exact or
        oldest asset.

        Raises InvalidInput for `{}`, ArtifactNotFound, and TooManyMatches where more assets share
        the references than a request looks at.
        """
        refs = canonical_refs(client_refs)
        client_type = as_kept("client_type", client_type)
        with self._database.connection() as connection:
            assets = AssetRepository(connection)
            matching = _matching(assets, client_type, refs)
            if include_superseded:
                artifact = matching.oldest and assets.newest(matching.oldest.asset_id)
            else:
                current_of = matching.oldest_with_current
                if current_of is None and not matching.is_complete:
                    raise TooManyMatches
                artifact = assets.current(current_of) if current_of else None
        told = _found(artifact).model_dump()
        return MatchedArtifact(**told, match=matching.match, matched_assets=matching.count)

    def get_by_stac(self, collection_id: str, item_id: str) -> Artifact:
        """The active artifact of a STAC item, else its newest; raises ArtifactNotFound."""
        collection_id = as_kept("stac_collection_id", collection_id)
        item_id = as_kept("stac_item_id", item_id)
        with self._database.connection() as connection:
            return _found(ArtifactRepository(connection).of_stac_item(collection_id, item_id))

    def get_by_job(
        self, job_id: str, *, limit: int = MAXIMUM_PAGE, cursor: str | None = None
    ) -> Page:
        """Artifacts that a job made, oldest first; an unknown job made none."""
        require_page(limit)
        job_id = as_kept("job_id", job_id)
        name = name_list("job", job_id)
        after = parse_id(read_cursor(name, cursor)) if cursor else _FIRST_ID
        with self._database.connection() as connection:
            artifacts = ArtifactRepository(connection).of_job(job_id, after=after, limit=limit + 1)
        kept = artifacts[:limit]
        more = len(artifacts) > limit
        return Page(kept, write_cursor(name, kept[-1].artifact_id) if more else None)

    def get_history(
        self,
        client_type: str,
        client_refs: Mapping[str, JsonValue],
        *,
        limit: int = MAXIMUM_PAGE,
        cursor: str | None = None,
    ) -> History:
        """Revisions of an asset, newest first; empty where no asset matches.

        The asset of exactly these references, else the oldest whose references contain them: the
        answer says which, and how many assets matched.

        Raises TooManyMatches where more assets share the references than a request looks at.
        """
        require_page(limit)
        refs = canonical_refs(client_refs)
        client_type = as_kept("client_type", client_type)
        name = name_list("history", client_type, refs)
        below = read_number(name, cursor) if cursor else BEYOND_REVISIONS
        with self._database.connection() as connection:
            assets = AssetRepository(connection)
            matching = _matching(assets, client_type, refs)
            if matching.oldest is None:
                return History(client_type, refs, Match.NONE, 0, 0, [], None)
            artifacts = assets.history(matching.oldest.asset_id, below=below, limit=limit + 1)
        return _history(matching.oldest, matching, artifacts, limit, name)

    def get_supersession_chain(
        self,
        artifact_id: UUID,
        direction: Direction = Direction.BOTH,
        *,
        limit: int = MAXIMUM_PAGE,
        cursor: str | None = None,
    ) -> Chain:
        """The chain through an artifact, tombstones included; raises ArtifactNotFound."""
        require_page(limit)
        name = name_list("chain", artifact_id, direction)
        after = read_number(name, cursor) if cursor else _BEFORE_POSITIONS
        with self._database.connection() as connection:
            _found(ArtifactRepository(connection).get(artifact_id))
            page = AssetRepository(connection).chain(
                artifact_id, direction, after=after, limit=limit + 1
            )
        more = len(page.positions) > limit
        return Chain(
            ArtifactId(artifact_id),
            direction,
            page.chain_length,
            page.artifacts[:limit],
            write_cursor(name, page.positions[limit - 1]) if more else None,
        )


@dataclass(frozen=True)
class _Matching:
    match: Match
    oldest: Asset | None
    oldest_with_current: AssetId | None
    count: int
    is_complete: bool


def _matching(assets: AssetRepository, client_type: str, refs: dict[str, JsonValue]) -> _Matching:
    """The asset of exactly these references, else those that contain them."""
    exact = assets.exact(client_type, refs)
    if exact:
        return _Matching(Match.EXACT, exact, exact.asset_id, 1, is_complete=True)
    containing = assets.containing(client_type, refs, MAXIMUM_MATCHES)
    if not containing.is_complete and containing.count < MAXIMUM_MATCHES:
        raise TooManyMatches
    return _Matching(
        Match.CONTAINMENT if containing.oldest else Match.NONE,
        containing.oldest,
        containing.oldest_with_current,
        containing.count,
        is_complete=containing.is_complete,
    )


def _history(
    asset: Asset, matching: _Matching, artifacts: list[Artifact], limit: int, name: str
) -> History:
    kept = artifacts[:limit]
    more = len(artifacts) > limit
    return History(
        asset.client_type,
        asset.client_refs,
        matching.match,
        matching.count,
        asset.last_revision,
        kept,
        write_cursor(name, kept[-1].revision) if more else None,
    )


def _found(artifact: Artifact | None) -> Artifact:
    if artifact is None:
        raise ArtifactNotFound
    return artifact
