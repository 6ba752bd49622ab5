"""Finding the same bytes, whoever registered them."""

from collections.abc import Mapping

from pydantic import JsonValue

from shared.database.pool import Database
from shared.models.artifacts import Artifact
from shared.models.chains import Page
from shared.models.decisions import OverwriteDecision
from shared.models.duplicates import DuplicateGroups


class DuplicateReads:
    """Questions about content hashes. A hash that is not known equals none."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def check_duplicate_content(
        self, client_type: str, client_refs: Mapping[str, JsonValue], content_hash: str | None
    ) -> Artifact | None:
        """The current artifact of exactly this asset, if it holds these bytes."""
        raise NotImplementedError

    def find_duplicates(
        self, content_hash: str | None, *, limit: int = 1000, cursor: str | None = None
    ) -> Page:
        """Artifacts of any client that hold these bytes, deleted ones left out."""
        raise NotImplementedError

    def list_duplicate_groups(
        self,
        *,
        client_type: str | None = None,
        across_clients: bool = False,
        limit: int = 20,
        cursor: str | None = None,
    ) -> DuplicateGroups:
        """Contents that more than one asset holds, and what the copies cost."""
        raise NotImplementedError

    def decide_overwrite(
        self,
        client_type: str,
        client_refs: Mapping[str, JsonValue],
        *,
        content_hash: str | None,
        metadata: Mapping[str, JsonValue],
    ) -> OverwriteDecision:
        """What is to be done about bytes of this hash with these titles, tags and the like."""
        raise NotImplementedError
