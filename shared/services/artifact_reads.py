"""Finding artifacts: by id, by client references, by STAC item, by job, along their chain."""

from collections.abc import Mapping
from uuid import UUID

from pydantic import JsonValue

from shared.database.pool import Database
from shared.errors import ArtifactNotFound
from shared.models.artifacts import Artifact
from shared.models.assets import Asset
from shared.models.chains import Chain, Direction, History, Match, MatchedArtifact, Page
from shared.models.client_refs import canonical_refs
from shared.models.cursors import read_cursor, read_number, write_cursor
from shared.models.ids import ArtifactId, parse_id
from shared.repositories.artifacts import ArtifactRepository
from shared.repositories.assets import AssetRepository

MAXIMUM_PAGE = 1000
"""Artifacts that one page holds at most."""
MAXIMUM_MATCHES = 100
"""Assets counted for partial references; the count stops there."""

_FIRST_ID = UUID(int=0)
_BEYOND_REVISIONS = 2**31 - 1
_BEFORE_POSITIONS = -(2**31)


class ArtifactReads:
    """Reads that an operator makes. Every list is a page of at most `MAXIMUM_PAGE`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def get_by_id(self, artifact_id: UUID) -> Artifact:
        """One artifact; raises ArtifactNotFound."""
        with self._database.connection() as connection:
            return _found(ArtifactRepository(connection).get(artifact_id))

    def get_by_client_refs(
        self,
        client_type: str,
        client_refs: Mapping[str, JsonValue],
        *,
        include_superseded: bool = False,
    ) -> MatchedArtifact:
        """The asset's current artifact; raises ArtifactNotFound."""
        raise NotImplementedError

    def get_by_stac(self, collection_id: str, item_id: str) -> Artifact:
        """The active artifact of a STAC item, else its newest; raises ArtifactNotFound."""
        with self._database.connection() as connection:
            return _found(ArtifactRepository(connection).of_stac_item(collection_id, item_id))

    def get_by_job(
        self, job_id: str, *, limit: int = MAXIMUM_PAGE, cursor: str | None = None
    ) -> Page:
        """Artifacts that a job made, oldest first; an unknown job made none."""
        after = parse_id(read_cursor("job", cursor)) if cursor else _FIRST_ID
        with self._database.connection() as connection:
            artifacts = ArtifactRepository(connection).of_job(job_id, after=after, limit=limit + 1)
        kept = artifacts[:limit]
        more = len(artifacts) > limit
        return Page(kept, write_cursor("job", kept[-1].artifact_id) if more else None)

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
        """
        refs = canonical_refs(client_refs)
        below = read_number("history", cursor) if cursor else _BEYOND_REVISIONS
        with self._database.connection() as connection:
            assets = AssetRepository(connection)
            exact = assets.exact(client_type, refs)
            matching = [exact] if exact else assets.containing(client_type, refs, MAXIMUM_MATCHES)
            if not matching:
                return History(client_type, refs, Match.NONE, 0, 0, [], None)
            artifacts = assets.history(matching[0].asset_id, below=below, limit=limit + 1)
        match = Match.EXACT if exact else Match.CONTAINMENT
        return _history(matching[0], match, len(matching), artifacts, limit)

    def get_supersession_chain(
        self,
        artifact_id: UUID,
        direction: Direction = Direction.BOTH,
        *,
        limit: int = MAXIMUM_PAGE,
        cursor: str | None = None,
    ) -> Chain:
        """The chain through an artifact, tombstones included; raises ArtifactNotFound."""
        after = read_number("chain", cursor) if cursor else _BEFORE_POSITIONS
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
            write_cursor("chain", page.positions[limit - 1]) if more else None,
        )


def _history(
    asset: Asset, match: Match, matched_assets: int, artifacts: list[Artifact], limit: int
) -> History:
    kept = artifacts[:limit]
    more = len(artifacts) > limit
    return History(
        asset.client_type,
        asset.client_refs,
        match,
        matched_assets,
        asset.last_revision,
        kept,
        write_cursor("history", kept[-1].revision) if more else None,
    )


def _found(artifact: Artifact | None) -> Artifact:
    if artifact is None:
        raise ArtifactNotFound
    return artifact
