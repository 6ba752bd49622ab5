"""Registering what a sender says, once it is known what the sender left to us."""

from uuid import UUID

from pydantic import ValidationError

from shared.errors import InvalidInput, MalformedMessage
from shared.models.artifacts import ArtifactRegistration
from shared.models.axes import Processing
from shared.models.blobs import BlobReference
from shared.models.registrations import Origin, Registration
from shared.services.artifact_service import ArtifactService
from shared.services.ingestion_blobs import BLOB_BACKEND, BlobRegistrations, BlobToRegister
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
        if is_left_to_us(registration):
            blob = _blob_of(registration)
            if blob is not None and self._store.serves(blob.account):
                return self._blobs.register(
                    BlobToRegister(registration, blob, origin, artifact_id=artifact_id)
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


def _blob_of(registration: ArtifactRegistration) -> BlobReference | None:
    """The blob where the bytes are, if they are in one."""
    account, container = registration.storage_account, registration.container
    path = registration.blob_path
    if registration.storage_backend not in {None, BLOB_BACKEND}:
        return None
    if account is None or container is None or path is None:
        return None
    try:
        return BlobReference(account, container, path)
    except InvalidInput:
        return None
