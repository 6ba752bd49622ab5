"""An upload with the Azure SDK, and what an operator reads over HTTP. No event is sent."""

import hashlib

import pytest

from tests.end_to_end.ground import Ground
from tests.end_to_end.running_app import RunningApp
from tests.end_to_end.waiting import wait_for


def upload(app: RunningApp, ground: Ground, name: str, content: bytes, revision: int) -> str:
    """Write a blob and return the id of the artifact that it became, read over HTTP."""
    ground.uploads.upload_blob(name, content, overwrite=True)
    container = ground.uploads.container_name

    def registered() -> str | None:
        history = app.history(account=ground.account, container=container, path=name)
        if not history or history[0]["revision"] != revision:
            return None
        assert history[0]["content_hash"] == "1220" + hashlib.sha256(content).hexdigest()
        assert history[0]["size_bytes"] == len(content)
        assert history[0]["blob_path"] == name
        assert len(history) == revision
        return str(history[0]["artifact_id"])

    return wait_for(f"revision {revision} of {name[:40]!r}", registered)


def test_an_uploaded_blob_is_found_by_its_references_and_by_its_id(
    app: RunningApp, ground: Ground
) -> None:
    artifact_id = upload(app, ground, "flood/first.tif", b"pixels", 1)
    found = app.get(f"/api/admin/artifacts/{artifact_id}")
    assert found.status_code == 200
    artifact = found.json()["artifact"]
    assert artifact["artifact_id"] == artifact_id
    assert artifact["status"] == "active"
    assert artifact["client_refs"] == {
        "account": ground.account,
        "container": ground.uploads.container_name,
        "path": "flood/first.tif",
    }


def test_changed_bytes_supersede_and_the_chain_is_read_both_ways(
    app: RunningApp, ground: Ground
) -> None:
    first = upload(app, ground, "flood/changing.tif", b"before", 1)
    second = upload(app, ground, "flood/changing.tif", b"after", 2)

    def chain(of: str, direction: str) -> list[tuple[str, str]]:
        answer = app.get(f"/api/admin/artifacts/{of}/chain", direction=direction)
        assert answer.status_code == 200
        return [(link["artifact_id"], link["status"]) for link in answer.json()["chain"]]

    whole = {(first, "superseded"), (second, "active")}
    assert set(chain(first, "both")) == set(chain(second, "both")) == whole
    assert set(chain(first, "forward")) == set(chain(second, "backward")) == whole
    assert chain(first, "backward") == [(first, "superseded")]
    assert chain(second, "forward") == [(second, "active")]
    old = app.get(f"/api/admin/artifacts/{first}").json()["artifact"]
    new = app.get(f"/api/admin/artifacts/{second}").json()["artifact"]
    assert (old["supersedes"], old["superseded_by"]) == (None, second)
    assert (new["supersedes"], new["superseded_by"]) == (first, None)


def test_a_second_file_is_an_asset_of_its_own(app: RunningApp, ground: Ground) -> None:
    one = upload(app, ground, "flood/one.tif", b"the same bytes", 1)
    other = upload(app, ground, "flood/other.tif", b"the same bytes", 1)
    answers = [app.get(f"/api/admin/artifacts/{found}").json() for found in (one, other)]
    assert len({answer["artifact"]["asset_id"] for answer in answers}) == 2


def test_a_blob_of_no_bytes_is_registered(app: RunningApp, ground: Ground) -> None:
    upload(app, ground, "flood/empty.tif", b"", 1)


@pytest.mark.parametrize(
    "name",
    [
        "with spaces/and  two.tif",
        "with#hash?and&more=1.tif",
        "with%2Fpercent%20.tif",
        "dots..in/..name/...tif",
        "plus+and'quote\"s;.tif",
        "🌊/høyde.tif",
        ("long/" * 205)[:1023] + "x",
    ],
    ids=["spaces", "hash", "percent", "dots", "punctuation", "emoji", "1024 characters"],
)
def test_a_name_comes_back_over_http_as_it_was_uploaded(
    app: RunningApp, ground: Ground, name: str
) -> None:
    artifact_id = upload(app, ground, name, name.encode(), 1)
    by_parts = app.get(
        "/api/admin/artifacts/history",
        client_type="blob",
        account=ground.account,
        container=ground.uploads.container_name,
        path=name,
    )
    assert by_parts.status_code == 200, by_parts.text
    assert by_parts.json()["match"] == "exact"
    assert by_parts.json()["history"][0]["artifact_id"] == artifact_id
