"""Registering blobs as what the rules say that they are."""

from collections.abc import Mapping

from shared.errors import BlobChanged, BlobNotFound
from shared.models.artifacts import ArtifactRegistration
from shared.models.blobs import BlobProperties, BlobReference
from shared.models.registrations import Origin, Registration
from shared.models.uploads import registration_of
from shared.services.ingestion_blobs import BlobRegistrations, BlobToRegister
from shared.services.ingestion_looks import LocationLooks
from shared.services.rules import RuleService
from shared.storage.accounts import Blobs


class Uploads:
    """Blobs that somebody put into the store, without a word to the registry."""

    def __init__(
        self, rules: RuleService, store: Blobs, blobs: BlobRegistrations, looks: LocationLooks
    ) -> None:
        self._rules = rules
        self._store = store
        self._blobs = blobs
        self._looks = looks

    def register(
        self, blob: BlobReference, origin: Origin, *, is_renamed: bool = False
    ) -> Registration:
        """Register what the store holds under a name now, each state of it once.

        A renamed blob was not written: the same bytes are no new revision then, whatever the rule
        says. Where nothing is there, artifacts that point there are missing, and BlobNotFound is
        raised. Raises InvalidInput where rules and uploader make no registration of it, and what
        `BlobRegistrations.register` raises.
        """
        match = self._rules.current().match(blob)

        def describe(found: BlobProperties) -> ArtifactRegistration:
            listens = match is None or match.rule.overrides != "none"
            tags: Mapping[str, str] = self._store.tags(found) if listens else {}
            described = registration_of(blob, match, found.metadata, tags)
            return (
                described.model_copy(update={"register_unchanged": False})
                if is_renamed
                else described
            )

        try:
            return self._blobs.register(BlobToRegister(blob, describe, origin, once_per_state=True))
        except BlobNotFound:
            if self._looks.look(blob, origin) is None:
                raise
        raise BlobChanged  # it is there again: to be registered with the next delivery
