"""Artifacts of builds are kept, cooled, expired and purged as any other artifact is."""

from datetime import UTC, datetime, timedelta

import pytest

from shared.errors import ArtifactHeld
from shared.models.axes import Status
from shared.models.build_artifacts import BuildArtifact
from shared.models.holds import HoldRequest
from shared.models.registrations import UNATTRIBUTED
from shared.storage.addresses import blob_uri
from tests.integration.keeping import Keeping, kept
from tests.integration.messages import ORIGIN
from tests.integration.policing import COOL, DAY, EXPIRE, PURGE, Policing, policing

__all__ = ["kept", "policing"]  # fixtures that are asked for by their names


@pytest.fixture
def stored(policing: Policing, kept: Keeping) -> BuildArtifact:
    """An artifact whose blob was uploaded just before, and which expires in an hour."""
    blob = policing.uploads.put("state-10/a.vhd", b"one")
    policing.clock.now = datetime.now(UTC) + timedelta(seconds=1)
    account = policing.uploads.container.url.rpartition("/")[0]
    return kept.put(
        storage_backend="azure_blob",
        artifact_path=blob_uri(account, blob.container, blob.path),
        size_bytes=3,
        expires_at=policing.clock.now + timedelta(hours=1),
    )


def test_what_has_expired_is_deleted_and_its_bytes_are_purged(
    policing: Policing, kept: Keeping, stored: BuildArtifact
) -> None:
    policing.enforce(EXPIRE)
    policing.enforce(PURGE)
    policing.run_scheduled()
    assert kept.listed() == [stored.id]
    policing.clock.now += timedelta(hours=1)
    policing.run_scheduled()
    assert (kept.listed(), kept.seen(stored).status) == ([], Status.DELETED)
    policing.clock.now += 91 * DAY
    policing.run_scheduled()
    assert not policing.is_there("state-10/a.vhd")


def test_what_lives_longer_by_its_new_expiry_does_not_expire(
    policing: Policing, kept: Keeping, stored: BuildArtifact
) -> None:
    policing.enforce(EXPIRE)
    kept.change(stored, expires_at=None)
    policing.clock.now += DAY
    policing.run_scheduled()
    assert kept.listed() == [stored.id]


def test_what_a_hold_means_by_its_build_is_kept_by_everybody(
    policing: Policing, kept: Keeping, stored: BuildArtifact
) -> None:
    selector = {"client_type": "build", "client_refs": {"build_id": str(kept.build_id)}}
    wanted = HoldRequest.model_validate({"selector": selector, "reason": "litigation 7"})
    policing.holds.place(wanted, UNATTRIBUTED)
    policing.enforce(EXPIRE)
    policing.clock.now += DAY
    policing.run_scheduled()
    with pytest.raises(ArtifactHeld):
        kept.service.delete(kept.build_id, stored.id, ORIGIN)
    assert kept.listed() == [stored.id]


def test_a_superseded_attempt_is_cooled_with_its_blob(
    policing: Policing, kept: Keeping, stored: BuildArtifact
) -> None:
    kept.put(overwrite=True)
    policing.enforce(COOL)
    policing.clock.now += 31 * DAY
    policing.run_scheduled()
    assert (policing.tier("state-10/a.vhd"), kept.seen(stored).status) == ("Cool", "archived")
    assert stored.id not in kept.listed()
