"""The admin surface: document 000's endpoints and the shapes that it shows."""

from typing import Any
from uuid import UUID, uuid4

import pytest
from ulid import ULID

from shared.models.artifacts import Artifact
from shared.services.artifact_service import ArtifactService
from tests.integration.http.caller import Caller, pointers, problem
from tests.integration.test_registration import REFS, create

BASE = "/api/admin/artifacts"


@pytest.fixture
def revisions(artifacts: ArtifactService) -> list[Artifact]:
    """Three revisions of one asset, oldest first."""
    facts: dict[str, Any] = {
        "stac_collection_id": "silver-cogs",
        "stac_item_id": "flood",
        "source_job_id": "job-1",
    }
    return [create(artifacts, content, **facts) for content in "abc"]


def ids(items: list[dict[str, Any]]) -> list[str]:
    return [item["artifact_id"] for item in items]


def ids_of(artifacts: list[Artifact]) -> list[str]:
    return [str(artifact.artifact_id) for artifact in artifacts]


def test_an_artifact_is_found_by_its_uuid_and_by_the_same_id_as_ulid(
    reader: Caller, revisions: list[Artifact]
) -> None:
    first = revisions[0]
    for written in (str(first.artifact_id), str(ULID.from_uuid(first.artifact_id))):
        artifact = reader.get(f"{BASE}/{written}").json()["artifact"]
        assert artifact["artifact_id"] == str(first.artifact_id)
        assert artifact["client_refs"] == REFS
        assert (artifact["revision"], artifact["status"]) == (1, "superseded")


def test_an_unknown_artifact_is_404_and_a_malformed_id_422(reader: Caller) -> None:
    problem(reader.get(f"{BASE}/{uuid4()}"), 404, "artifact-not-found")
    problem(reader.get(f"{BASE}/{uuid4()}/chain"), 404, "artifact-not-found")
    told = problem(reader.get(f"{BASE}/not-an-id"), 422, "invalid-input")
    assert pointers(told) == ["/artifact_id"]


@pytest.mark.parametrize("prefix", ["stac_", ""])
def test_a_stac_item_leads_to_its_active_artifact(
    reader: Caller, revisions: list[Artifact], prefix: str
) -> None:
    query = {f"{prefix}collection_id": "silver-cogs", f"{prefix}item_id": "flood"}
    found = reader.get(f"{BASE}/stac", params=query)
    assert found.json()["artifact"]["artifact_id"] == str(revisions[2].artifact_id)


def test_a_stac_look_up_needs_both_names_once(reader: Caller) -> None:
    query = {"stac_collection_id": "c", "collection_id": "c", "item_id": "i"}
    told = problem(reader.get(f"{BASE}/stac", params=query), 422, "invalid-input")
    assert pointers(told) == ["/stac_collection_id"]
    told = problem(reader.get(f"{BASE}/stac?collection_id=c"), 422, "invalid-input")
    assert pointers(told) == ["/stac_item_id"]
    problem(reader.get(f"{BASE}/stac?collection_id=c&item_id=i"), 404, "artifact-not-found")


def test_a_jobs_artifacts_come_in_pages_oldest_first(
    reader: Caller, revisions: list[Artifact]
) -> None:
    first = reader.get(f"{BASE}/job/job-1?limit=2").json()
    assert (first["job_id"], first["count"]) == ("job-1", 2)
    rest = reader.get(f"{BASE}/job/job-1", params={"cursor": first["next"]}).json()
    assert (rest["count"], rest["next"]) == (1, None)
    assert ids(first["artifacts"] + rest["artifacts"]) == ids_of(revisions)


def test_an_unknown_job_made_nothing(reader: Caller) -> None:
    found = reader.get(f"{BASE}/job/nobody")
    assert found.json() == {"job_id": "nobody", "count": 0, "artifacts": [], "next": None}


@pytest.mark.parametrize("job_id", ["a/b", "run 1", "x;y", "größe", "2024-01-01T00:00:00+00:00"])
def test_a_job_id_may_hold_what_paths_make_special(
    reader: Caller, artifacts: ArtifactService, job_id: str
) -> None:
    made = create(artifacts, "a", source_job_id=job_id)
    found = reader.get(f"{BASE}/job/{job_id}").json()
    assert (found["job_id"], ids(found["artifacts"])) == (job_id, [str(made.artifact_id)])


def test_history_is_the_documents_and_newest_first(
    reader: Caller, revisions: list[Artifact]
) -> None:
    found = reader.get(f"{BASE}/history", params={"client_type": "ddh"} | REFS).json()
    assert found["client_type"] == "ddh"
    assert found["client_refs"] == REFS
    assert found["revision_count"] == 3
    assert ids(found["history"]) == ids_of(revisions)[::-1]
    assert [item["status"] for item in found["history"]] == ["active", "superseded", "superseded"]
    assert (found["match"], found["matched_assets"], found["next"]) == ("exact", 1, None)


def test_history_continues_where_the_cursor_stands(
    reader: Caller, revisions: list[Artifact]
) -> None:
    query = {"client_type": "ddh", "limit": "2"} | REFS
    first = reader.get(f"{BASE}/history", params=query).json()
    assert (len(first["history"]), first["revision_count"]) == (2, 3)
    rest = reader.get(f"{BASE}/history", params=query | {"cursor": first["next"]}).json()
    assert ids(rest["history"]) == [str(revisions[0].artifact_id)]
    assert rest["next"] is None


def test_history_of_partial_references_says_so(reader: Caller, artifacts: ArtifactService) -> None:
    for site in ("a", "b"):
        create(artifacts, site, client_refs={"dataset_id": "d", "resource_id": site})
    found = reader.get(f"{BASE}/history?client_type=ddh&dataset_id=d").json()
    assert (found["match"], found["matched_assets"]) == ("containment", 2)
    assert found["client_refs"] == {"dataset_id": "d", "resource_id": "a"}


def test_an_unknown_history_is_empty(reader: Caller) -> None:
    found = reader.get(f"{BASE}/history?client_type=ddh&dataset_id=none").json()
    assert (found["revision_count"], found["history"], found["match"]) == (0, [], "none")
    assert found["client_refs"] == {"dataset_id": "none"}


def test_references_that_are_not_text_are_reached_as_json(
    reader: Caller, artifacts: ArtifactService
) -> None:
    refs = {"name": "x", "tile": 7, "final": True}
    made = create(artifacts, "a", client_refs=refs)
    query = {"client_type": "ddh", "name": "x", "client_refs": '{"tile": 7.0, "final": true}'}
    found = reader.get(f"{BASE}/history", params=query).json()
    assert (found["match"], ids(found["history"])) == ("exact", [str(made.artifact_id)])
    assert reader.get(f"{BASE}/history?client_type=ddh&tile=7").json()["match"] == "none"


def test_a_function_key_is_no_reference(reader: Caller, revisions: list[Artifact]) -> None:
    query = {"client_type": "ddh", "code": "a-function-key"} | REFS
    found = reader.get(f"{BASE}/history", params=query).json()
    assert (found["match"], found["revision_count"]) == ("exact", len(revisions))


@pytest.mark.parametrize(
    ("direction", "expected"), [("both", [0, 1, 2]), ("backward", [1, 0]), ("forward", [1, 2])]
)
def test_the_chain_runs_in_each_direction(
    reader: Caller, revisions: list[Artifact], direction: str, expected: list[int]
) -> None:
    middle = revisions[1].artifact_id
    found = reader.get(f"{BASE}/{middle}/chain?direction={direction}").json()
    assert (found["artifact_id"], found["direction"]) == (str(middle), direction)
    assert found["chain_length"] == len(expected)
    assert ids(found["chain"]) == [str(revisions[index].artifact_id) for index in expected]


def test_the_chain_comes_in_pages(reader: Caller, revisions: list[Artifact]) -> None:
    path = f"{BASE}/{revisions[2].artifact_id}/chain"
    first = reader.get(f"{path}?limit=1").json()
    rest = reader.get(path, params={"cursor": first["next"]}).json()
    assert (first["chain_length"], rest["chain_length"], rest["next"]) == (3, 3, None)
    assert ids(first["chain"] + rest["chain"]) == ids_of(revisions)


@pytest.mark.parametrize("limit", ["0", "1001", "-1", "many", "9" * 5000])
def test_a_limit_outside_1_to_1000_is_refused(reader: Caller, limit: str) -> None:
    for path in ("job/j", f"{UUID(int=1)}/chain", "history?client_type=x&a=b"):
        separator = "&" if "?" in path else "?"
        found = reader.get(f"{BASE}/{path}{separator}limit={limit}")
        assert pointers(problem(found, 422, "invalid-input")) == ["/limit"]
