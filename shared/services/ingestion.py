"""From a notice that a blob was written to a registered artifact."""

import json
import logging
from dataclasses import dataclass
from uuid import UUID

from pydantic import JsonValue, ValidationError

from shared.database.pool import Database
from shared.errors import BlobChanged, InvalidInput, MalformedMessage, RegistryError, Retryable
from shared.models.artifacts import ArtifactRegistration
from shared.models.axes import Processing
from shared.models.blob_events import events_in, message_document, read_blob_event
from shared.models.blobs import BlobProperties, BlobReference
from shared.models.registrations import Origin, Outcome, Registration
from shared.repositories.artifacts import ArtifactRepository, Observation
from shared.services.artifact_service import ArtifactService
from shared.services.hashing import HashedContent, hash_blob
from shared.services.set_aside import SetAsideService
from shared.storage.blobs import BlobStore

_LOGGER = logging.getLogger(__name__)
_BACKEND = "azure_blob"
_ATTEMPTS = 5
"""Tries within one delivery while a blob keeps changing; the host's redeliveries come on top."""


@dataclass(frozen=True)
class _BlobRegistration:
    """A blob to hash, and what to register of it for whom."""

    registration: ArtifactRegistration
    blob: BlobReference
    origin: Origin
    once_per_state: bool = False
    """An event tells of a state of the blob, which counts once; a sender's own word always does."""
    artifact_id: UUID | None = None


class IngestionService:
    """Takes messages as they come: repeated, late, out of order, or wrong."""

    def __init__(
        self,
        database: Database,
        artifacts: ArtifactService,
        set_aside: SetAsideService,
        store: BlobStore,
    ) -> None:
        self._database = database
        self._artifacts = artifacts
        self._set_aside = set_aside
        self._store = store

    def take_blob_events(self, queue: str, body: bytes, origin: Origin) -> None:
        """Register every blob that a message is about, each event on its own.

        An event that can never succeed is set aside with its reason. Raises a Retryable, at the
        end, where one may succeed later: delivering all again changes nothing that is done.
        """
        try:
            events = events_in(body)
        except MalformedMessage as fault:
            self._set_aside.set_aside(queue, body, fault)
            return
        passing: list[Retryable] = []
        for event in events:
            try:
                self._take_blob_event(event, origin)
            except Retryable as fault:
                passing.append(fault)
            except RegistryError as fault:
                alone = body if len(events) == 1 else json.dumps(event).encode()
                self._set_aside.set_aside(queue, alone, fault)
        if passing:
            raise passing[0]

    def take_registration(
        self, queue: str, body: bytes, origin: Origin, artifact_id: UUID | None = None
    ) -> None:
        """Register what a message says: the body of `POST /api/v1/artifacts`.

        Set aside and raised as for blob events. `artifact_id` is the message's own, the same at
        each of its deliveries: a late one changes nothing.
        """
        try:
            self._register(_read_registration(body), origin, artifact_id)
        except Retryable:
            raise
        except RegistryError as fault:
            self._set_aside.set_aside(queue, body, fault)

    def _take_blob_event(self, event: object, origin: Origin) -> None:
        blob = read_blob_event(event)
        if blob is not None:
            self.register_blob(blob, origin)

    def register_blob(self, blob: BlobReference, origin: Origin) -> Registration:
        """Register what the store holds under a name now; the blob itself is the asset.

        Raises BlobNotFound, BlobUnreadable or StorageAccountNotAllowed, and Retryable faults.
        """
        refs: dict[str, JsonValue] = {
            "account": blob.account,
            "container": blob.container,
            "path": blob.path,
        }
        asset = ArtifactRegistration(client_type="blob", client_refs=refs, overwrite=True)
        return self._register_stored(_BlobRegistration(asset, blob, origin, once_per_state=True))

    def _register(
        self, registration: ArtifactRegistration, origin: Origin, artifact_id: UUID | None
    ) -> Registration:
        blob = _unhashed_blob(registration)
        if blob is None or blob.account != self._store.account:
            return self._artifacts.register(registration, origin, artifact_id=artifact_id)
        return self._register_stored(
            _BlobRegistration(registration, blob, origin, artifact_id=artifact_id)
        )

    def _register_stored(self, request: _BlobRegistration) -> Registration:
        for attempt in range(1, _ATTEMPTS + 1):
            try:
                return self._register_present_state(request)
            except BlobChanged:
                if attempt == _ATTEMPTS:
                    raise
        raise AssertionError  # the last attempt returns or raises

    def _register_present_state(self, request: _BlobRegistration) -> Registration:
        properties = self._store.properties(request.blob)
        _require_said_state(request.registration, properties)
        # Between reading the etag and hashing, which confirms it: this is what makes the
        # observation's number tell which of two states of the blob came first.
        observation = self._observe(request.registration, properties)
        if request.once_per_state and observation.artifact_id:
            known = self._artifacts.get_by_id(observation.artifact_id)
            return Registration(Outcome.UNCHANGED, known)
        hashed = hash_blob(self._store, properties)
        registered = self._artifacts.register(
            _as_found(request.registration, properties, hashed),
            request.origin,
            observation,
            once_per_state=request.once_per_state,
            artifact_id=request.artifact_id,
        )
        _LOGGER.info(
            "blob registered: outcome=%s artifact_id=%s revision=%d size_bytes=%d",
            registered.outcome,
            registered.artifact.artifact_id,
            registered.artifact.revision,
            hashed.size_bytes,
        )
        return registered

    def _observe(self, registration: ArtifactRegistration, blob: BlobProperties) -> Observation:
        with self._database.connection() as connection:
            repository = ArtifactRepository(connection)
            return repository.observe(registration.client_type, registration.client_refs, blob)


def _read_registration(body: bytes) -> ArtifactRegistration:
    try:
        return ArtifactRegistration.model_validate(message_document(body))
    except ValidationError as error:
        faults = error.errors(include_url=False, include_input=False)
        told = "; ".join(f"/{'/'.join(map(str, fault['loc']))}: {fault['msg']}" for fault in faults)
        raise MalformedMessage(f"Not a registration: {told[:2000]}") from None


def _unhashed_blob(registration: ArtifactRegistration) -> BlobReference | None:
    """The blob whose hash the sender left to us, if that is what it is."""
    account, container = registration.storage_account, registration.container
    path = registration.blob_path
    is_ours = (
        registration.content_hash is None
        and registration.processing is Processing.COMPLETED
        and registration.storage_backend in {None, _BACKEND}
    )
    if not is_ours or account is None or container is None or path is None:
        return None
    try:
        return BlobReference(account, container, path)
    except InvalidInput:
        return None


def _require_said_state(registration: ArtifactRegistration, blob: BlobProperties) -> None:
    """Refuse to register other bytes than the sender spoke of, where it said which."""
    said = (
        (registration.blob_etag, blob.etag),
        (registration.blob_version_id, blob.version_id),
        (registration.size_bytes, blob.size_bytes),
    )
    if any(value is not None and value != found for value, found in said):
        raise InvalidInput("The blob is not in the state that the registration speaks of.")


def _as_found(
    registration: ArtifactRegistration, blob: BlobProperties, hashed: HashedContent
) -> ArtifactRegistration:
    """The registration with what the store says of the bytes; the sender's other words stay."""
    return registration.model_copy(
        update={
            "storage_backend": _BACKEND,
            "storage_account": blob.reference.account,
            "container": blob.reference.container,
            "blob_path": blob.reference.path,
            "blob_version_id": blob.version_id,
            "blob_etag": blob.etag,
            "uri": blob.uri,
            "storage_tier": blob.tier,
            "content_hash": hashed.content_hash,
            "size_bytes": hashed.size_bytes,
            # An uploader may write anything here; no odd header keeps a blob out of the registry.
            "content_type": registration.content_type or (blob.content_type or "")[:255] or None,
        }
    )
