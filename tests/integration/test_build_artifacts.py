"""Artifacts of builds: what is registered is told again, under a name that is its own."""

import hashlib
from datetime import timedelta
from typing import Any

import psycopg
import pytest
from psycopg.rows import DictRow

from shared.errors import ArtifactConflict, ArtifactNotFound, BuildNotFound, InvalidInput
from shared.models.axes import Status
from shared.models.build_artifacts import BuildArtifactFilter
from shared.models.ids import new_id
from shared.models.registrations import IdempotencyKey
from shared.services.artifact_service import ArtifactService
from shared.services.build_surface import Builds
from tests.integration.clock import TickingClock
from tests.integration.keeping import Keeping, another, asked, kept
from tests.integration.messages import ORIGIN
from tests.integration.registering import hash_of

__all__ = ["kept"]  # a fixture that is asked for by its name

SHA256 = hashlib.sha256(b"one").hexdigest()
SHA512 = hashlib.sha512(b"one").hexdigest()
MD5 = hashlib.md5(b"one", usedforsecurity=False).hexdigest()
EVERYTHING: dict[str, Any] = {
    "artifact_type": "disk_image",
    "artifact_path": "s3://my-builds/project-123/state-20/snapshot.qcow2",
    "storage_region": "us-east-1",
    "storage_bucket": "my-builds",
    "storage_key": "project-123/state-20/snapshot.qcow2",
    "size_bytes": 5 * 1024**4,
    "checksum": SHA256,
    "checksum_algorithm": "sha256",
    "is_resumable": False,
    "is_final": True,
    "expires_at": "2030-01-01T00:00:00Z",
    "metadata": {"vm_id": "vm-abc123", "disk": {"format": "qcow2"}},
}


def test_what_is_registered_is_told_again(kept: Keeping, clock: TickingClock) -> None:
    made = kept.put("base-vm-snapshot", 20, **EVERYTHING)
    told = made.model_dump(mode="json")
    assert {name: told[name] for name in EVERYTHING} == EVERYTHING
    assert (made.build_id, made.state_code, made.artifact_name, made.storage_backend) == (
        kept.build_id,
        20,
        "base-vm-snapshot",
        "s3",
    )
    assert made.created_at == made.updated_at == clock.now
    assert (made.revision, made.status, made.content_hash) == (1, Status.ACTIVE, hash_of("one"))
    assert kept.seen(made) == made


def test_what_is_not_said_is_resumable_and_nothing_else(kept: Keeping) -> None:
    made = kept.put()
    assert (made.is_resumable, made.is_final, made.metadata) == (True, False, {})
    assert {made.size_bytes, made.checksum, made.checksum_algorithm, made.expires_at} == {None}


@pytest.mark.parametrize(
    ("checksum", "algorithm", "is_hash"),
    [
        (f"sha256:{SHA256}", "sha256", True),
        (SHA256.upper(), "sha256", True),
        (SHA512, "sha512", False),
        (f"md5:{MD5}", "md5", False),
    ],
)
def test_a_checksum_is_told_as_written_and_one_of_sha256_is_the_content_hash(
    kept: Keeping, checksum: str, algorithm: str, is_hash: bool
) -> None:
    made = kept.put(checksum=checksum)
    assert (made.checksum, made.checksum_algorithm) == (checksum, algorithm)
    assert made.content_hash == (hash_of("one") if is_hash else None)


def test_it_is_an_artifact_as_any_other(kept: Keeping, artifacts: ArtifactService) -> None:
    made = kept.put(checksum=SHA256)
    refs = {"build_id": str(kept.build_id), "name": "base"}
    same = artifacts.get_by_client_refs("build", refs)
    assert (same.artifact_id, same.run_id) == (made.id, kept.build_id)
    [holder] = artifacts.find_duplicates(hash_of("one")).artifacts
    assert holder.artifact_id == made.id


def test_credentials_of_an_address_are_not_kept(kept: Keeping) -> None:
    path = "https://user:hush@files.example/a.img?sig=abcdefghijklmnop"
    made = kept.put(artifact_path=path, storage_bucket="b?sig=hush", storage_key="a.img?sig=hush")
    assert made.artifact_path == "https://files.example/a.img"
    assert (made.storage_bucket, made.storage_key) == ("b", "a.img")


@pytest.mark.parametrize(
    ("backend", "path", "location"),
    [
        (
            "azure_blob",
            "https://acc1.blob.core.windows.net/c-1/state%2010/a.vhd?versionid=2026-01",
            ("acc1", "c-1", "state 10/a.vhd", "2026-01"),
        ),
        ("azure-blob", "http://127.0.0.1:10000/acc1/c-1/a.vhd", ("acc1", "c-1", "a.vhd", None)),
        ("azure_blob", "http://127.0.0.1:10000/acc1/c-1/a?snapshot=2026", None),
        ("azure_blob", "container/a.vhd", None),
        ("azure_blob", "https://acc1.blob.core.windows.net/%ff/%ff", None),
        ("azure_blob", "https://[", None),
        ("azure_blob", "https://cdn.example.org/images/prod/disk.vhd", None),
        ("s3", "https://acc1.blob.core.windows.net/c-1/a.vhd", None),
    ],
)
def test_a_blob_of_azure_has_its_location(
    kept: Keeping, artifacts: ArtifactService, backend: str, path: str, location: Any
) -> None:
    made = kept.put(storage_backend=backend, artifact_path=path)
    same = artifacts.get_by_id(made.id)
    found = (same.storage_account, same.container, same.blob_path, same.blob_version_id)
    assert found == (location or (None,) * 4)
    assert (made.storage_backend, made.artifact_path) == (backend, path)


def test_a_name_is_taken_once(kept: Keeping) -> None:
    made = kept.put(checksum=SHA256)
    for same in (SHA256, None):
        with pytest.raises(ArtifactConflict) as refused:
            kept.put(checksum=same)
        assert refused.value.current_artifact_id == made.id
    assert kept.listed() == [made.id]


def test_who_overwrites_takes_the_next_revision_of_the_same_bytes_too(kept: Keeping) -> None:
    first = kept.put(checksum=SHA256)
    second = kept.put(checksum=SHA256, overwrite=True, state=20)
    assert (second.revision, second.state_code) == (2, 20)
    assert kept.listed() == [second.id]
    assert kept.seen(first).status is Status.SUPERSEDED


def test_another_build_has_names_of_its_own(kept: Keeping, builds: Builds) -> None:
    made = kept.put()
    other = another(kept, builds)
    assert other.put().revision == 1
    with pytest.raises(ArtifactNotFound):
        other.seen(made)


def test_an_archived_artifact_has_its_name_still(kept: Keeping, artifacts: ArtifactService) -> None:
    first = kept.put()
    artifacts.mark_archived(first.id)
    with pytest.raises(ArtifactConflict) as refused:
        kept.put()
    assert refused.value.current_artifact_id == first.id
    assert kept.listed() == [first.id]
    second = kept.put(overwrite=True)
    assert (second.revision, kept.listed()) == (2, [second.id])


def test_what_a_deleted_revision_had_superseded_does_not_come_back(
    kept: Keeping, artifacts: ArtifactService
) -> None:
    kept.put()
    second = kept.put(overwrite=True)
    artifacts.mark_deleted(second.id)
    assert kept.listed() == []
    assert kept.put().revision == 3


def test_an_unknown_build_takes_nothing(kept: Keeping) -> None:
    nobody = Keeping(kept.service, new_id())
    with pytest.raises(BuildNotFound):
        nobody.put()
    with pytest.raises(BuildNotFound):
        nobody.listed()
    assert kept.listed() == []


def test_an_expiry_lies_in_the_future(kept: Keeping, clock: TickingClock) -> None:
    with pytest.raises(InvalidInput) as refused:
        kept.put(expires_at=clock.now + timedelta(seconds=1))
    assert refused.value.pointer == "/expires_at"
    assert kept.put(expires_at=clock.now + timedelta(seconds=3)).expires_at


def test_a_build_has_as_many_artifacts_as_it_may(
    kept: Keeping, sql: psycopg.Connection[DictRow]
) -> None:
    kept.put()
    sql.execute("UPDATE registry.runs SET artifacts = 10000")
    with pytest.raises(InvalidInput, match="runs_artifacts_range"):
        kept.put("another")
    assert len(kept.listed()) == 1


def test_what_is_repeated_with_a_key_is_done_once(
    kept: Keeping, sql: psycopg.Connection[DictRow]
) -> None:
    key = IdempotencyKey("key:tests", "once", b"f" * 32)
    register = kept.service.register
    first = register(kept.build_id, asked(), ORIGIN, idempotency=key)
    assert register(kept.build_id, asked(), ORIGIN, idempotency=key) == first
    [run] = sql.execute("SELECT artifacts FROM registry.runs").fetchall()
    assert (run["artifacts"], kept.listed()) == (1, [first.id])


def test_the_list_is_by_state_and_time_and_conditions_come_together(kept: Keeping) -> None:
    late = kept.put("late", 90, is_final=True, is_resumable=False)
    base = kept.put("base", 10)
    disk = kept.put("disk", 10, artifact_type="disk", is_final=True)
    assert kept.listed() == [base.id, disk.id, late.id]
    assert kept.listed(state_code=10) == [base.id, disk.id]
    assert kept.listed(artifact_type="vm_snapshot") == [base.id, late.id]
    assert kept.listed(is_final=True) == [disk.id, late.id]
    assert kept.listed(is_final=True, is_resumable=True) == [disk.id]
    assert kept.listed(state_code=90, is_resumable=True) == []
    assert kept.listed(state_code=0) == []


def test_a_list_goes_on_behind_its_cursor(kept: Keeping) -> None:
    made = [kept.put(f"artifact {number}", number % 3).id for number in range(7)]
    wanted, seen, cursor = BuildArtifactFilter(), list[Any](), None
    for _ in range(3):
        page = kept.service.list_artifacts(kept.build_id, wanted, limit=3, cursor=cursor)
        seen += [artifact.id for artifact in page.artifacts]
        cursor = page.next
    assert cursor is None
    assert seen == [*made[::3], *made[1::3], *made[2::3]]


def test_a_page_ends_where_it_is_some_megabytes_long(
    kept: Keeping, sql: psycopg.Connection[DictRow]
) -> None:
    made = [kept.put(f"artifact {number}").id for number in range(10)]
    large = "UPDATE registry.artifacts SET metadata = jsonb_build_object('x', repeat('x', 1000000))"
    sql.execute(large)
    page = kept.service.list_artifacts(kept.build_id, BuildArtifactFilter())
    assert [artifact.id for artifact in page.artifacts] == made[:7]
    rest = kept.service.list_artifacts(kept.build_id, BuildArtifactFilter(), cursor=page.next)
    assert ([artifact.id for artifact in rest.artifacts], rest.next) == (made[7:], None)


def test_a_cursor_belongs_to_one_list(kept: Keeping) -> None:
    kept.put("a")
    kept.put("b")
    page = kept.service.list_artifacts(kept.build_id, BuildArtifactFilter(), limit=1)
    with pytest.raises(InvalidInput):
        kept.service.list_artifacts(
            kept.build_id, BuildArtifactFilter(is_final=True), cursor=page.next
        )
