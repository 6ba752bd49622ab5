"""Registering what a table holds now, hashed and counted from one snapshot of it."""

import logging
from uuid import UUID

from shared.errors import InvalidInput
from shared.models.artifacts import ArtifactRegistration
from shared.models.registrations import Origin, Registration
from shared.models.tables import TableReference
from shared.repositories.artifacts import Observation
from shared.services.artifact_service import ArtifactService
from shared.services.table_hashing import HashedTable, hash_table
from shared.storage.table_sources import TableSources

_POSTGRESQL, _POSTGIS = "postgresql", "postgis"
_CONTENT_TYPES = {_POSTGIS: "application/x-postgis-table"}
_LOGGER = logging.getLogger(__name__)


class TableRegistrations:
    """Late readers of a table never win, as long as each change of it is followed by a message."""

    def __init__(self, artifacts: ArtifactService, sources: TableSources) -> None:
        self._artifacts = artifacts
        self._sources = sources

    def table_of(self, registration: ArtifactRegistration) -> TableReference | None:
        """The table that is registered, if it is in a database whose tables may be read."""
        source, schema = registration.storage_account, registration.container
        name = registration.blob_path
        if registration.storage_backend not in {None, _POSTGRESQL, _POSTGIS}:
            return None
        if source is None or schema is None or name is None or not self._sources.serves(source):
            return None
        return TableReference(source, schema, name)

    def register(
        self,
        registration: ArtifactRegistration,
        table: TableReference,
        origin: Origin,
        artifact_id: UUID | None,
    ) -> Registration:
        """Hash and register what a table holds.

        Raises what `TableSources.read` raises, and InvalidInput where the sender counted other
        rows.
        """
        # Before the table is read: who takes a later number has read no earlier state.
        observation = Observation(self._artifacts.next_observation(), None)
        hashed = hash_table(self._sources, table)
        if registration.row_count not in {None, hashed.row_count}:
            raise InvalidInput(f"The table has {hashed.row_count} rows.", "/row_count")
        found = _as_found(registration, hashed)
        registered = self._artifacts.register(
            found, origin, observation, once_per_state=False, artifact_id=artifact_id
        )
        _LOGGER.info(
            "table registered: outcome=%s artifact_id=%s revision=%d row_count=%d",
            registered.outcome,
            registered.artifact.artifact_id,
            registered.artifact.revision,
            hashed.row_count,
        )
        return registered


def _as_found(registration: ArtifactRegistration, hashed: HashedTable) -> ArtifactRegistration:
    """The registration with what was read; a number of rows is never one of bytes."""
    backend = registration.storage_backend or _POSTGRESQL
    return registration.model_copy(
        update={
            "storage_backend": backend,
            "content_hash": hashed.content_hash,
            "row_count": hashed.row_count,
            "content_type": registration.content_type or _CONTENT_TYPES.get(backend),
        }
    )
