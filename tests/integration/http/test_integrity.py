"""Bytes are verified over HTTP, and the report tells how recently all were."""

from dataclasses import replace
from typing import Any

import pytest
from fastapi import FastAPI

from devhost.stack.azurite import Azurite
from functions.http.app import build_app
from shared.bootstrap import Registry
from shared.database.pool import Database
from shared.models.artifacts import Artifact
from shared.models.registrations import UNATTRIBUTED
from shared.services.artifact_service import ArtifactService
from shared.services.ingestion import IngestionService
from shared.services.verification import Verifications
from shared.storage.blobs import BlobStore
from tests.integration.http.caller import Caller, pointers, problem
from tests.integration.http.conftest import now
from tests.integration.uploads import Uploads

MOST = 64
"""So many bytes are read while somebody waits."""
REPORT = "/api/admin/integrity"


@pytest.fixture
def app(
    registry: Registry,
    database: Database,
    artifacts: ArtifactService,
    ingestion: IngestionService,
    azurite: Azurite,
) -> FastAPI:
    store = BlobStore(azurite.connection_string)
    verifications = Verifications(database, artifacts, ingestion, store, now, most_at_once=MOST)
    over = replace(registry, verifications=verifications)
    return build_app(lambda: over)


@pytest.fixture
def made(uploads: Uploads, ingestion: IngestionService) -> Artifact:
    return ingestion.register_blob(uploads.put("a.tif", b"one"), UNATTRIBUTED).artifact


def verify(caller: Caller, artifact: Artifact, status: int = 200) -> dict[str, Any]:
    answer = caller.call("POST", f"/api/v1/artifacts/{artifact.artifact_id}/verify")
    assert answer.status_code == status, answer.text
    return answer.json()


def test_bytes_are_verified_and_reads_tell_it(
    writer: Caller, reader: Caller, made: Artifact
) -> None:
    path = f"/api/v1/artifacts/{made.artifact_id}"
    answer = writer.call("POST", f"{path}/verify")
    assert answer.status_code == 200
    told = answer.json()
    assert (told["result"], told["reason"]) == ("ok", None)
    seen = reader.get(path)
    assert (told["artifact"], answer.headers["etag"]) == (seen.json(), seen.headers["etag"])
    assert (seen.json()["verified_at"] is None, seen.json()["found_corrupt_at"]) == (False, None)


def test_other_bytes_are_a_mismatch_and_the_report_names_the_artifact(
    writer: Caller, reader: Caller, made: Artifact, uploads: Uploads
) -> None:
    uploads.put("a.tif", b"0ne")
    told = verify(writer, made)
    assert told["result"] == "mismatch"
    assert told["artifact"]["found_corrupt_at"]
    seen = reader.get(f"/api/v1/artifacts/{made.artifact_id}").json()
    assert seen["found_corrupt_at"] == told["artifact"]["found_corrupt_at"]
    report = reader.get(REPORT).json()
    assert (report["corrupt"], report["corrupt_count"]) == ([str(made.artifact_id)], 1)
    assert report["results"]["mismatch"] == {"artifacts": 1, "size_bytes": 3}


def test_bytes_that_are_gone_are_missing(writer: Caller, made: Artifact, uploads: Uploads) -> None:
    uploads.container.delete_blob("a.tif")
    told = verify(writer, made)
    assert (told["result"], bool(told["reason"])) == ("missing", True)
    assert told["artifact"]["missing_since"]


def test_what_is_large_is_verified_later(
    writer: Caller, uploads: Uploads, ingestion: IngestionService, reader: Caller
) -> None:
    blob = uploads.put("large.tif", b"x" * (MOST + 1))
    large = ingestion.register_blob(blob, UNATTRIBUTED).artifact
    told = verify(writer, large, 202)
    assert (told["result"], told["artifact"]["verified_at"]) == ("pending", None)
    assert reader.get(REPORT).json()["waiting"] == 1


def test_readers_do_not_verify_and_what_is_unknown_is_not_found(
    writer: Caller, reader: Caller, anonymous: Caller, made: Artifact
) -> None:
    path = f"/api/v1/artifacts/{made.artifact_id}/verify"
    problem(reader.call("POST", path), 403, "scope-missing")
    problem(anonymous.call("POST", path), 401, "key-rejected")
    other = f"/api/v1/artifacts/{made.asset_id}/verify"
    problem(writer.call("POST", other), 404, "artifact-not-found")


def test_the_report_and_samples_are_of_so_many_days_and_artifacts(
    reader: Caller, writer: Caller, anonymous: Caller, made: Artifact
) -> None:
    report = reader.get(REPORT, params={"days": "7"}).json()
    assert (report["days"], report["is_covered"]) == (7, False)
    verify(writer, made)
    assert reader.get(REPORT, params={"days": "7"}).json()["is_covered"]
    assert report["scrub_bytes_per_day"] == 2**40
    assert pointers(problem(reader.get(REPORT, params={"days": "0"}), 422, "invalid-input")) == [
        "/days"
    ]
    sample = reader.get(f"{REPORT}/sample", params={"size": "3"}).json()
    assert sample == {"artifact_ids": [str(made.artifact_id)]}
    problem(reader.get(f"{REPORT}/sample", params={"size": "1001"}), 422, "invalid-input")
    problem(anonymous.get(REPORT), 401, "key-rejected")
