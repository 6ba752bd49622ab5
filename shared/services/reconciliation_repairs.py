"""Mending what store and registry differ about."""

from collections.abc import Sequence
from dataclasses import dataclass

from shared.errors import BlobChanged, InvalidInput
from shared.models.blobs import BlobReference
from shared.models.listed_blobs import BlobScope, ListedBlob
from shared.models.reconciliations import Finding
from shared.models.registrations import Origin
from shared.services.backfill_batches import Registrar
from shared.services.ingestion import IngestionService

_REGISTERED_ANEW = {Finding.UNREGISTERED, Finding.ETAG}
_SEEN_AGAIN = {Finding.RETURNED, Finding.ETAG}
"""Artifacts that point there may be taken for missing."""


@dataclass(frozen=True)
class Repairs:
    """Registers what is not registered, and tells artifacts whether their blobs are there.

    The size of a registered state is a fact, and stays as it is.
    """

    registrar: Registrar
    ingestion: IngestionService
    scope: BlobScope
    origin: Origin

    def mend(self, found: Sequence[tuple[ListedBlob, Finding]], observation: int) -> dict[str, str]:
        """Mend what was found about blobs that are there; why it failed, by their names.

        The number was taken before they were listed. Raises a Retryable.
        """
        anew = [blob for blob, finding in found if finding in _REGISTERED_ANEW]
        batch = self.registrar.register(anew, observation)
        for blob, finding in found:
            if finding in _SEEN_AGAIN:
                self.look(blob.path)
        return {refused.path: refused.reason for refused in batch.refused}

    def look(self, path: str) -> bool:
        """Tell whatever points at a blob whether it is there.

        False for a name that none has, and for a blob that does not rest.
        """
        try:
            blob = BlobReference(self.scope.account, self.scope.container, path)
            self.ingestion.look_at_blob(blob, self.origin)
        except (InvalidInput, BlobChanged):
            return False
        return True
