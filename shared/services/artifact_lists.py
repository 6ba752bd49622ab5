"""Listing artifacts by whatever is known of them."""

from shared.database.pool import Database
from shared.models.chains import Page
from shared.models.listings import ArtifactFilter, ArtifactSort


class ArtifactLists:
    """Lists in pages, each of which looks at a bounded number of rows."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def list_artifacts(
        self,
        wanted: ArtifactFilter,
        *,
        sort: ArtifactSort = ArtifactSort.CREATED_DESCENDING,
        limit: int = 100,
        cursor: str | None = None,
    ) -> Page:
        """A page of the artifacts that satisfy the filter."""
        raise NotImplementedError
