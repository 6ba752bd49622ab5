"""Bytes that several deleted artifacts share are removed with the last of them, and not before."""

import pytest
from azure.core.exceptions import HttpResponseError
from azure.storage.blob import BlobClient

from shared.models.artifacts import Artifact
from shared.models.policy_runs import RunStatus
from shared.repositories.policy_actions import MOST_SENDS
from tests.integration.policing import COOL, DAY, ORIGIN, PURGE, Policing, policing

__all__ = ["policing"]  # a fixture that is asked for by its name


def twin_of(policing: Policing, artifact: Artifact) -> Artifact:
    """Another asset's artifact of the same bytes."""
    return policing.artifacts.create_artifact(
        client_type="ddh",
        client_refs={"name": "twin"},
        storage_account=artifact.storage_account,
        container=artifact.container,
        blob_path=artifact.blob_path,
        blob_etag=artifact.blob_etag,
        size_bytes=artifact.size_bytes,
    )


def deleted_twins(policing: Policing) -> tuple[Artifact, Artifact]:
    one = policing.upload("same", b"one")
    other = twin_of(policing, one)
    for each in (one, other):
        policing.artifacts.mark_deleted(each.artifact_id)
    return one, other


def told(policing: Policing) -> list[str]:
    return [
        event["details"]["bytes"]
        for event in policing.events("status_update")
        if "bytes" in event["details"]
    ]


def test_the_last_of_them_takes_the_bytes_along(policing: Policing) -> None:
    deleted_twins(policing)
    name = policing.enforce(PURGE)
    policing.clock.now += 91 * DAY
    run = policing.runs.run(name, ORIGIN)
    assert (run.acted, run.bytes) == (2, 3)
    assert sorted(told(policing)) == ["kept for another", "removed"]
    assert not policing.is_there("same")


def test_one_that_is_held_keeps_them(policing: Policing) -> None:
    one, other = deleted_twins(policing)
    hold = policing.hold(other)
    name = policing.enforce(PURGE)
    policing.clock.now += 91 * DAY
    run = policing.runs.run(name, ORIGIN)
    assert (run.acted, run.refused) == (0, {"shared location": 1, "hold": 1})
    assert policing.is_there("same")
    policing.holds.release(hold.hold_id, ORIGIN)
    assert policing.runs.run(name, ORIGIN).acted == 2
    assert (policing.state(one), policing.is_there("same")) == ("purged", False)


def test_one_whose_time_has_not_come_keeps_them(policing: Policing) -> None:
    one = policing.upload("same", b"one")
    other = twin_of(policing, one)
    policing.artifacts.mark_deleted(one.artifact_id)
    policing.clock.now += 60 * DAY
    policing.artifacts.mark_deleted(other.artifact_id)
    name = policing.enforce(PURGE)
    policing.clock.now += 31 * DAY
    run = policing.runs.run(name, ORIGIN)
    assert (run.acted, run.bytes, told(policing)) == (1, 0, ["kept for another"])
    assert policing.is_there("same")
    policing.clock.now += 60 * DAY
    assert policing.runs.run(name, ORIGIN).bytes == 3
    assert not policing.is_there("same")


def test_one_that_is_retained_keeps_them(policing: Policing) -> None:
    one, other = deleted_twins(policing)
    mine = {"client_refs": {"name": "twin"}}
    policing.enforce(PURGE, name="keep", age="P7Y", locked=True, selector=mine)
    policing.clock.now += 91 * DAY
    policing.retirement.purge(one.artifact_id, ORIGIN)
    assert (policing.state(other), policing.is_there("same")) == ("deleted", True)


def test_bytes_of_one_that_is_held_and_deleted_are_not_cooled(policing: Policing) -> None:
    old = policing.upload("same", b"one")
    other = twin_of(policing, old)
    policing.upload("new", b"two")
    policing.artifacts.mark_deleted(other.artifact_id)
    policing.hold(other)
    name = policing.enforce(COOL)
    policing.clock.now += 31 * DAY
    assert policing.runs.run(name, ORIGIN).refused == {"shared location": 1}
    assert policing.tier("same") == "Hot"


def test_what_the_store_never_lets_us_do_fails_in_the_end_and_blocks_nobody(
    policing: Policing, monkeypatch: pytest.MonkeyPatch
) -> None:
    """403 may pass, once somebody grants what is missing; but not for ever."""
    refused = policing.upload("refused", b"one")
    policing.artifacts.mark_deleted(refused.artifact_id)
    name = policing.enforce(PURGE)
    policing.clock.now += 91 * DAY

    def refuse(*_: object, **__: object) -> None:
        fault = HttpResponseError("AuthorizationPermissionMismatch")
        fault.status_code = 403
        raise fault

    with monkeypatch.context() as patch:
        patch.setattr(BlobClient, "delete_blob", refuse)
        policing.runs.start_due()
        for _ in range(MOST_SENDS + 1):
            policing.runs.advance()
            policing.take_all()
            policing.clock.now += DAY
        policing.runs.advance()
    run = policing.latest(name)
    assert (run.status, run.errors, policing.claims()) == (RunStatus.FINISHED, 1, [])
    assert policing.runs.run(name, ORIGIN).acted == 1
    assert not policing.is_there("refused")
