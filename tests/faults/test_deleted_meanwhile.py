"""A blob deleted while it is being registered, its event taken before the registration is made."""

from collections.abc import Callable, Generator

import pytest

from devhost.stack.azurite import Azurite
from shared.models.blobs import BlobProperties
from shared.storage.blobs import BlobStore
from tests.faults.places import Place
from tests.faults.registered import Rows, assert_holds
from tests.integration.messages import ORIGIN, QUEUE, event
from tests.integration.uploads import Uploads

DELETED = "Microsoft.Storage.BlobDeleted"


class Overtaken(BlobStore):
    """A store whose reader is overtaken once, behind its last byte."""

    overtake: Callable[[], object] | None = None

    def read(self, properties: BlobProperties) -> Generator[bytes]:
        yield from super().read(properties)
        if self.overtake is not None:
            overtake, self.overtake = self.overtake, None
            overtake()


@pytest.mark.parametrize("rest", [[None], [None, b"again"], [b"again", None]], ids=str)
def test_a_registration_overtaken_by_a_deletion_does_not_bring_the_blob_back(
    azurite: Azurite, place: Place, uploads: Uploads, sql: Rows, rest: list[bytes | None]
) -> None:
    slow = Overtaken(azurite.connection_string)
    blob = uploads.put("a", b"first")
    with place.ingestion(slow) as service, place.ingestion() as other:

        def live_on() -> None:
            for content in rest:
                if content is None:
                    uploads.container.delete_blob("a")
                    other.take_blob_events(QUEUE, event(blob, eventType=DELETED), ORIGIN)
                else:
                    other.take_blob_events(QUEUE, event(uploads.put("a", content)), ORIGIN)

        slow.overtake = live_on
        service.take_blob_events(QUEUE, event(blob), ORIGIN)
    assert slow.overtake is None
    assert_holds(sql, uploads.container, {"a": rest[-1]} if rest[-1] is not None else {})
