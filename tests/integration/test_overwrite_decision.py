"""What a pipeline has to do, asked before it processes."""

from typing import Any

import pytest
from pydantic import JsonValue

from shared.errors import InvalidInput
from shared.models.decisions import Decision
from shared.services.artifact_service import ArtifactService
from tests.integration.registering import REFS, create, hash_of

HASH = hash_of("same")
SAID: dict[str, JsonValue] = {
    "title": "Flood",
    "tags": ["a", "b"],
    "bands": 3,
    "is_public": True,
    "note": None,
    "box": {"west": 1.5, "east": 1e23},
    "scale": 1e-7,
    "big": 10**30,
}


def decide(service: ArtifactService, content: str | None, **metadata: JsonValue) -> Any:
    content_hash = hash_of(content) if content else None
    told = service.decide_overwrite("ddh", REFS, content_hash=content_hash, metadata=metadata)
    return told.decision, told.changed


def test_where_nothing_is_current_all_is_to_be_done(artifacts: ArtifactService) -> None:
    asked: dict[str, Any] = {"content_hash": HASH, "metadata": {"title": "x"}}
    told = artifacts.decide_overwrite("ddh", REFS, **asked)
    assert (told.decision, told.changed, told.artifact) == (Decision.FULL_REPROCESS, [], None)
    made = create(artifacts, "same", metadata={"title": "x"})
    assert artifacts.decide_overwrite("ddh", REFS, **asked).artifact == made
    for others in ({"dataset_id": "flood-2024"}, REFS | {"more": "1"}):
        assert artifacts.decide_overwrite("ddh", others, **asked).artifact is None
    assert artifacts.decide_overwrite("other", REFS, **asked).artifact is None
    artifacts.mark_deleted(made.artifact_id)
    assert artifacts.decide_overwrite("ddh", REFS, **asked) == told


@pytest.mark.parametrize("content", ["other", None])
def test_other_or_unknown_bytes_are_to_be_processed(
    artifacts: ArtifactService, content: str | None
) -> None:
    made = create(artifacts, "same", metadata=SAID)
    assert decide(artifacts, content, **SAID) == (Decision.FULL_REPROCESS, ["content_hash"])
    differing = decide(artifacts, content, title="x", a=1)
    assert differing == (Decision.FULL_REPROCESS, ["content_hash", "a", "title"])
    told = artifacts.decide_overwrite("ddh", REFS, content_hash=None, metadata={})
    assert told.artifact == made


def test_bytes_that_are_not_known_of_the_current_artifact_are_to_be_processed(
    artifacts: ArtifactService,
) -> None:
    create(artifacts, metadata=SAID)
    assert decide(artifacts, "same", **SAID) == (Decision.FULL_REPROCESS, ["content_hash"])
    assert decide(artifacts, None, **SAID) == (Decision.FULL_REPROCESS, ["content_hash"])


def test_the_same_bytes_and_the_same_said_of_them_need_nothing(
    artifacts: ArtifactService,
) -> None:
    create(artifacts, "same", metadata=SAID)
    assert decide(artifacts, "same", **SAID) == (Decision.NO_CHANGE, [])
    assert decide(artifacts, "same") == (Decision.NO_CHANGE, [])
    for key, value in SAID.items():
        assert decide(artifacts, "same", **{key: value}) == (Decision.NO_CHANGE, [])
    equal: dict[str, JsonValue] = {"bands": 3.0, "box": {"east": 10**23, "west": 1.5}}
    assert decide(artifacts, "same", **equal) == (Decision.NO_CHANGE, [])


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("title", "flood"),
        ("tags", ["b", "a"]),
        ("tags", ["a"]),
        ("tags", "a"),
        ("bands", "3"),
        ("bands", True),
        ("is_public", 1),
        ("is_public", "true"),
        ("note", ""),
        ("note", False),
        ("absent", None),
        ("box", {"west": 1.5}),
        ("box", {"west": 1.5, "east": 1e23, "top": None}),
        ("scale", 0),
        ("big", 10**30 + 1),
    ],
)
def test_the_same_bytes_of_which_else_is_said_need_their_metadata_only(
    artifacts: ArtifactService, key: str, value: JsonValue
) -> None:
    create(artifacts, "same", metadata=SAID)
    assert decide(artifacts, "same", **(SAID | {key: value})) == (Decision.METADATA_ONLY, [key])


def test_what_differs_is_named_in_order(artifacts: ArtifactService) -> None:
    create(artifacts, "same", metadata=SAID)
    told = decide(artifacts, "same", title="x", bands=4, tags=[], note=None)
    assert told == (Decision.METADATA_ONLY, ["bands", "tags", "title"])


def test_after_the_metadata_were_updated_nothing_is_left_to_do(
    artifacts: ArtifactService,
) -> None:
    made = create(artifacts, "same")
    signed = "https://a.blob.core.windows.net/c/p?sv=2020&sig=secret"
    for metadata in (SAID, {"preview": signed}):
        assert decide(artifacts, "same", **metadata)[0] == Decision.METADATA_ONLY
        artifacts.update_metadata(made.artifact_id, dict(metadata))
        assert decide(artifacts, "same", **metadata) == (Decision.NO_CHANGE, [])


def _nested(depth: int) -> JsonValue:
    value: JsonValue = 1
    for _ in range(depth):
        value = [value]
    return value


@pytest.mark.parametrize("value", ["\x00", "\ud800", ["\x00"], {"\x00": 1}, _nested(200)])
def test_metadata_that_cannot_be_kept_are_refused(
    artifacts: ArtifactService, value: JsonValue
) -> None:
    with pytest.raises(InvalidInput) as refused:
        artifacts.decide_overwrite("ddh", REFS, content_hash=HASH, metadata={"title": value})
    assert refused.value.pointer == "/metadata"
