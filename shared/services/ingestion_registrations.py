"""Registering what a sender says, once it is known what the sender left to us."""

from uuid import UUID

from pydantic import ValidationError

from shared.errors import MalformedMessage
from shared.models.artifacts import ArtifactRegistration
from shared.models.axes import Processing
from shared.models.blobs import BlobProperties
from shared.models.registrations import Origin, Registration
from shared.services.artifact_service import ArtifactService
from shared.services.ingestion_blobs import BlobRegistrations, BlobToRegister
from shared.services.ingestion_looks import blob_of
from shared.services.ingestion_tables import TableRegistrations
from shared.storage.accounts import Blobs


class SentRegistrations:
    """Registrations as senders made them, without the hash where it is ours to find out."""

    def __init__(
        self,
        artifacts: ArtifactService,
        blobs: BlobRegistrations,
        tables: TableRegistrations,
        store: Blobs,
    ) -> None:
        self._artifacts = artifacts
        self._blobs = blobs
        self._tables = tables
        self._store = store

    def register(
        self, registration: ArtifactRegistration, origin: Origin, artifact_id: UUID | None
    ) -> Registration:
        """Register what was sent; a missing hash is computed where the location can be read."""

        def as_said(_: BlobProperties) -> ArtifactRegistration:
            return registration

        if is_left_to_us(registration):
            blob = blob_of(registration)
            if blob is not None and self._store.serves(blob.account):
                return self._blobs.register(
                    BlobToRegister(blob, as_said, origin, artifact_id=artifact_id)
                )
            table = self._tables.table_of(registration)
            if table is not None:
                return self._tables.register(registration, table, origin, artifact_id)
        return self._artifacts.register(registration, origin, artifact_id=artifact_id)


def read_registration(document: object) -> ArtifactRegistration:
    """The registration that a message's document is; raises MalformedMessage."""
    try:
        return ArtifactRegistration.model_validate(document)
    except ValidationError as error:
        faults = error.errors(include_url=False, include_input=False)
        told = "; ".join(f"/{'/'.join(map(str, fault['loc']))}: {fault['msg']}" for fault in faults)
        raise MalformedMessage(f"Not a registration: {told[:2000]}") from None


def is_left_to_us(registration: ArtifactRegistration) -> bool:
    """Whether the bytes are there, and the sender did not say what they hash to."""
    return registration.content_hash is None and registration.processing is Processing.COMPLETED
