"""Blobs of which the store says nothing for certain keep no others from being followed.

Azurite copies at once and knows no versions, so its answers are changed: unproven on Azure.
"""

from typing import Any

import pytest
from azure.core.exceptions import HttpResponseError
from azure.storage.blob import BlobClient, BlobProperties

from shared.models.backfills import Hashing, Tally
from shared.models.reconciliations import Difference, Finding
from shared.services.artifact_service import ArtifactService
from tests.integration.backfilling import Backfilling, backfilling
from tests.integration.test_reconciliation import compare, repair
from tests.integration.uploads import Uploads

__all__ = ["backfilling"]  # a fixture that is asked for by its name


@pytest.fixture
def restless(monkeypatch: pytest.MonkeyPatch) -> set[str]:
    """Names of blobs that are still being copied. Of versions the store knows none."""
    names: set[str] = set()
    ask = BlobClient.get_blob_properties

    def answer(client: BlobClient, **options: Any) -> BlobProperties:
        if options.get("version_id"):
            fault = HttpResponseError("no such version can be")
            fault.status_code = 400
            raise fault
        found = ask(client, **options)
        if client.blob_name in names:
            found.copy.status = "pending"
        return found

    monkeypatch.setattr(BlobClient, "get_blob_properties", answer)
    return names


def test_a_blob_that_does_not_rest_is_refused_and_the_others_are_registered(
    backfilling: Backfilling, uploads: Uploads, restless: set[str]
) -> None:
    for name in ("a", "b", "c"):
        uploads.put(name, b"x")
    restless.add("b")
    assert backfilling.run(hashing=Hashing.NOW) == {Tally.CREATED: 2, Tally.REFUSED: 1}
    assert [refused.path for refused in backfilling.told.refusals] == ["b"]
    restless.clear()
    counts = backfilling.run(hashing=Hashing.NOW)
    assert counts == {Tally.CREATED: 1, Tally.UNCHANGED: 2}


def test_a_blob_that_does_not_rest_differs_until_it_does(
    backfilling: Backfilling, uploads: Uploads, restless: set[str]
) -> None:
    for content in (b"old", b"new"):
        for name in ("a", "b"):
            uploads.put(name, content)
        if content == b"old":
            backfilling.run(hashing=Hashing.NOW)
    restless.add("a")
    assert compare(backfilling) == {"a": Finding.ETAG, "b": Finding.ETAG}
    assert [each.is_repaired for each in repair(backfilling)] == [False, True]
    restless.clear()
    assert repair(backfilling) == [Difference("a", Finding.ETAG, is_repaired=True)]


@pytest.mark.usefixtures("restless")
def test_an_artifact_of_a_version_that_the_store_cannot_name_ends_no_comparison(
    backfilling: Backfilling, artifacts: ArtifactService, uploads: Uploads
) -> None:
    for name, version in (("odd", "no version"), ("plain", None)):
        artifacts.create_artifact(
            client_type="x",
            client_refs={"name": name},
            storage_account=backfilling.scope.account,
            container=uploads.container.container_name,
            blob_path=name,
            blob_version_id=version,
        )
    assert compare(backfilling) == {"plain": Finding.MISSING}
