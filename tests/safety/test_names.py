"""Names are text: stored or refused, never resolved, and never run."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest
from azure.storage.blob import ContainerClient

from devhost.stack.azurite import Azurite
from shared.database.pool import Database
from shared.errors import RegistryError, StorageUnavailable
from shared.models.artifacts import ArtifactRegistration
from shared.models.registrations import UNATTRIBUTED
from shared.models.tiers import ColderTier
from shared.services.artifact_service import ArtifactService
from shared.services.ingestion import IngestionService
from shared.services.retirement import RetirementService
from shared.storage.blobs import BlobStore
from tests.integration.uploads import Uploads
from tests.safety.names import OTHER_PLACES, SCRIPTS, VICTIM, WAYS_TO_THE_VICTIM
from tests.safety.operations import Draft, operation_at, operations
from tests.safety.sender import Answer, Sender
from tests.safety.slots import slots_of

REGISTER = operation_at("POST", "/api/v1/artifacts")
NAMES = (*WAYS_TO_THE_VICTIM, *OTHER_PLACES)


def register(sender: Sender, place: int, **fields: Any) -> Answer:
    body = {"client_type": "names", "client_refs": {"place": place}, **fields}
    return Draft("POST", REGISTER.path, body=body).send(sender)


@pytest.mark.parametrize("field", ["blob_path", "container", "storage_account"])
def test_a_name_is_kept_as_it_is_or_refused(sender: Sender, field: str) -> None:
    location = {"storage_account": "account", "container": "container", "blob_path": "b"}
    for place, name in enumerate(NAMES):
        answer = register(sender, place, **{**location, field: name})
        if answer.status != 201:
            assert answer.status == 422, answer.body
            answer.problem()
            continue
        told = sender.send("GET", answer.header("location") or "").json()
        assert {part: told[part] for part in location} == {**location, field: name}


@pytest.mark.parametrize("field", ["source_job_id", "stac_item_id", "stac_collection_id"])
def test_an_id_is_found_by_itself_alone(sender: Sender, field: str) -> None:
    names = [name for name in NAMES if len(name) <= 255]
    for place, name in enumerate(names):
        assert register(sender, place, **{field: name}).status == 201
    for name in names:
        found = Draft("GET", REGISTER.path, query={field: name}).send(sender).json()
        assert [each[field] for each in found["artifacts"]] == [name]


def test_a_job_in_a_path_is_no_path(sender: Sender) -> None:
    """Whatever stands there, encoded, is the job's id: it leads to no other operation."""
    for name in (name for name in NAMES if len(name) <= 255 and "\n" not in name):
        draft = operation_at("GET", "/api/admin/artifacts/job/{job_id}").draft()
        answer = replace(draft, path_values={"job_id": name}).send(sender)
        assert answer.json()["job_id"] == name


def test_an_artifact_id_is_an_id_or_refused(sender: Sender) -> None:
    for operation in operations():
        draft = operation.draft()
        for parameter in {"artifact_id", "key_id"} & draft.path_values.keys():
            for name in NAMES:
                values = {**draft.path_values, parameter: name}
                answer = replace(draft, path_values=values).send(sender)
                assert answer.status in {404, 405, 422}, (operation, name, answer.body)
                answer.problem()


@pytest.fixture
def retirement(database: Database, azurite: Azurite) -> RetirementService:
    store = BlobStore(azurite.connection_string)
    return RetirementService(database, store, lambda: datetime.now(UTC))


@pytest.fixture
def victims(uploads: Uploads) -> Iterator[None]:
    """Blobs that no artifact of a test is about; they are as they were when it is over."""
    for name in (VICTIM, f"dir/{VICTIM}", "other.tif"):
        uploads.put(name, b"precious")
    before = states(uploads.container)
    yield
    after = states(uploads.container)
    assert {name: after.get(name) for name in before} == before


def states(container: ContainerClient) -> dict[str, tuple[object, ...]]:
    return {each.name: (each.etag, each.blob_tier, each.size) for each in container.list_blobs()}


def register_at(artifacts: ArtifactService, place: object, location: dict[str, str]) -> UUID:
    asset = {"client_type": "names", "client_refs": {"place": str(place)}}
    registration = ArtifactRegistration.model_validate({**asset, **location})
    return artifacts.register(registration, UNATTRIBUTED).artifact.artifact_id


def retire(
    artifacts: ArtifactService, retirement: RetirementService, artifact_id: UUID
) -> list[RegistryError]:
    """Archive, delete and purge; what was refused, though never because a store did not answer."""
    refused: list[RegistryError] = []
    steps = (
        lambda: retirement.archive(artifact_id, ColderTier.COOL, UNATTRIBUTED),
        lambda: artifacts.mark_deleted(artifact_id, UNATTRIBUTED),
        lambda: retirement.purge(artifact_id, UNATTRIBUTED),
    )
    for step in steps:
        try:
            step()
        except RegistryError as fault:
            refused.append(fault)
    assert not [fault for fault in refused if isinstance(fault, StorageUnavailable)]
    return refused


@pytest.mark.usefixtures("victims")
def test_retiring_a_name_touches_no_other_blob(
    artifacts: ArtifactService, retirement: RetirementService, uploads: Uploads
) -> None:
    """No blob has these names, and some of them no blob can have."""
    there = uploads.reference("x")
    for place, name in enumerate(WAYS_TO_THE_VICTIM):
        location = {"storage_account": there.account, "container": there.container}
        registered = register_at(artifacts, place, {**location, "blob_path": name})
        retire(artifacts, retirement, registered)


@pytest.mark.usefixtures("victims")
@pytest.mark.parametrize("field", ["storage_account", "container"])
def test_retiring_in_another_place_touches_nothing(
    artifacts: ArtifactService, retirement: RetirementService, uploads: Uploads, field: str
) -> None:
    there = uploads.reference("x")
    location = {"storage_account": there.account, "container": there.container}
    for place, name in enumerate(OTHER_PLACES):
        for path in (VICTIM, f"{there.container}/{VICTIM}"):
            given = {**location, "blob_path": path, field: name}
            assert retire(artifacts, retirement, register_at(artifacts, f"{place} {path}", given))


@pytest.mark.usefixtures("victims")
def test_a_blob_of_an_odd_name_is_retired_itself(
    artifacts: ArtifactService,
    retirement: RetirementService,
    ingestion: IngestionService,
    uploads: Uploads,
) -> None:
    for name in (f"%2e%2e/{VICTIM}", f"{VICTIM}?x#y", f"{VICTIM} x", VICTIM.upper()):
        blob = uploads.put(name, b"odd")
        registered = ingestion.register_blob(blob, UNATTRIBUTED).artifact
        assert name in states(uploads.container)
        assert retire(artifacts, retirement, registered.artifact_id) == []
        assert name not in states(uploads.container)


@pytest.mark.parametrize("share", [5, pytest.param(1, marks=pytest.mark.long)])
def test_every_answer_says_what_it_is_and_is_taken_for_nothing_else(
    sender: Sender, stranger: Sender, key_id: UUID, share: int
) -> None:
    """A script in a name stays text in JSON: no browser may guess that it is anything else.

    Dealt out: each operation sees every so manieth, and the next one others.
    """
    for place, operation in enumerate(operations()):
        draft = operation.draft().about(key_id)
        for text in SCRIPTS[place % share :: share]:
            filled = draft
            for slot in slots_of(operation):
                filled = slot.fill(filled, text) if slot.accepts(text) else filled
            for answer in (filled.send(sender), filled.send(stranger)):
                expected = (
                    "application/problem+json" if answer.status >= 400 else "application/json"
                )
                assert answer.header("content-type") == expected, operation
                assert answer.header("x-content-type-options") == "nosniff", operation


def test_what_browsers_are_shown_holds_nothing_that_is_stored(sender: Sender) -> None:
    pages = ("/api/docs", "/api/openapi.json")
    before = [sender.send("GET", page).body for page in pages]
    for place, text in enumerate(SCRIPTS):
        register(sender, place, metadata={"title": text}, source_job_id=text)
    assert [sender.send("GET", page).body for page in pages] == before
    for page in pages:
        for text in SCRIPTS[:4]:
            answer = Draft("GET", page, query={"x": text}, headers={"Referer": text}).send(sender)
            assert answer.status == 200
            assert answer.body == before[pages.index(page)]
            assert answer.header("x-content-type-options") == "nosniff"


def test_a_script_in_a_path_comes_back_as_a_problem(sender: Sender) -> None:
    for text in SCRIPTS[:5]:
        for path in ("/api/docs/{}", "/api/v1/{}", "/api/admin/artifacts/{}", "/{}"):
            answer = Draft("GET", path.format("{x}"), {"x": text}).send(sender)
            assert answer.status in {404, 422}
            answer.problem()
            assert answer.header("x-content-type-options") == "nosniff"
