"""Listing artifacts by whatever is known of them."""

from shared.database.pool import Database
from shared.models.chains import Page
from shared.models.cursors import read_place, write_place
from shared.models.listings import ArtifactFilter, ArtifactSort, Position
from shared.repositories.listings import ListRepository
from shared.services.asked import require_page


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
        """A page of the artifacts that satisfy the filter.

        A page may hold fewer than `limit` artifacts, even none, while `next` is not null: where
        few of very many artifacts satisfy the filter, each page looks at a bounded number of them.
        The list ends where `next` is null. Artifacts that are registered meanwhile make no page
        repeat or skip others; one that is changed meanwhile moves in a list by `updated_at`.

        Raises InvalidInput for a limit outside 1 to MAXIMUM_PAGE, and for a cursor of another
        filter or sort.
        """
        require_page(limit)
        name = f"list{sort}-{wanted.fingerprint}"
        after = Position(*read_place(name, cursor)) if cursor is not None else None
        with self._database.connection() as connection:
            page = ListRepository(connection).page(wanted, sort, after=after, limit=limit)
        following = write_place(name, page.next.at, page.next.artifact_id) if page.next else None
        return Page(page.artifacts, following)
