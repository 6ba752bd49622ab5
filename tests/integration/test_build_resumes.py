"""Resuming builds: where from, what must be there, one at a time."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any
from uuid import UUID

import psycopg
import pytest
from psycopg.rows import DictRow

from shared.errors import (
    BuildNotFound,
    BuildStateRefused,
    InvalidInput,
    ResumeNotFound,
    ResumeNotPossible,
    ResumeUnderWay,
)
from shared.models.build_artifacts import (
    BuildArtifactChanges,
    BuildArtifactFilter,
    BuildArtifactRequest,
)
from shared.models.build_catalogues import ProjectRequest
from shared.models.build_resumes import ResumeContext, ResumeStatus, StateName
from shared.models.build_variables import VariableRequest
from shared.models.ids import new_id
from shared.services.build_surface import Builds
from tests.integration.building import ORIGIN, OneBuild
from tests.integration.clock import TickingClock

CATALOGUE = [
    {"code": 10, "name": "base", "required_artifacts": ["disk", "config"]},
    {"code": 20, "name": "packages", "resumable": False},
    {"code": 30, "name": "hardened"},
    {"code": 60, "name": "tested", "final": True},
    {"code": 99, "name": "broken", "error": True},
]


@pytest.fixture
def build(builds: Builds) -> OneBuild:
    return OneBuild.begun(builds)


@pytest.fixture
def failed(build: OneBuild) -> OneBuild:
    """States 10 and 20 were completed, 10 with something to go on from; 30 failed."""
    build.tell_with_artifact(10)
    build.tell(20)
    build.tell(30, "failed", message="no disk")
    build.fail(message="given up")
    return build


@pytest.fixture
def planned(builds: Builds) -> OneBuild:
    builds.projects.put("images", ProjectRequest.model_validate({"states": CATALOGUE}), ORIGIN)
    return OneBuild.begun(builds, project="images")


def context_of(build: OneBuild) -> ResumeContext:
    return build.builds.resumes.context(build.id)


def register(build: OneBuild, name: str, state: int, **more: Any) -> None:
    wanted = {"artifact_name": name, "state_code": state, "artifact_type": "disk_image"}
    stored = {"artifact_path": f"s3://builds/{name}", "storage_backend": "s3"}
    request = BuildArtifactRequest.model_validate({**wanted, **stored, **more})
    build.builds.artifacts.register(build.id, request, ORIGIN)


def test_the_context_tells_where_to_go_on_and_with_what(failed: OneBuild) -> None:
    context = context_of(failed)
    assert context.last_successful_state == StateName(code=20, name="state-20")
    assert context.failed_state == StateName(code=30, name="state-30")
    assert context.failure_message == "given up"
    assert context.resume_from == StateName(code=10, name="state-10")
    assert context.next_state == StateName(code=20, name="state-20")
    assert [(each.artifact_name, each.state_code) for each in context.resumable_artifacts] == [
        ("state-10", 10)
    ]
    assert (
        context.resumable_artifacts[0].artifact_path
        == f"s3://builds/{failed.id}/state-10/image.qcow2"
    )
    assert (context.can_resume, context.missing) == (True, [])


def test_a_failure_that_was_got_over_is_told_no_more(build: OneBuild) -> None:
    build.tell_with_artifact(10)
    build.tell(20, "failed", message="no network")
    assert context_of(build).failed_state == StateName(code=20, name="state-20")
    build.tell(20)
    context = context_of(build)
    assert (context.failed_state, context.failure_message) == (None, None)


def test_what_a_failed_attempt_left_is_nothing_to_go_on_from(build: OneBuild) -> None:
    build.tell_with_artifact(10)
    build.tell_with_artifact(20, "failed")
    build.tell(20)
    context = context_of(build)
    assert context.resume_from == StateName(code=10, name="state-10")


def test_a_resume_reopens_the_build_at_its_next_attempt(failed: OneBuild) -> None:
    resume = failed.resume(reason="new disk")
    assert (resume.status, resume.from_state, resume.next_state) == ("pending", 10, 20)
    assert (resume.reason, resume.requested_by) == ("new disk", "key:tests")
    now = failed.now
    assert (now.status, now.state, now.message, now.end_time) == ("in_progress", 10, None, None)
    assert failed.told == [
        (10, 1, "completed"),
        (20, 1, "completed"),
        (30, 1, "failed"),
        (20, 2, "in_progress"),
    ]
    opened = failed.history[-1]
    assert (opened.id, opened.resume_id) == (resume.state_id, resume.id)


def test_a_build_server_takes_up_the_attempt_that_was_opened(failed: OneBuild) -> None:
    resume = failed.resume()
    begun = failed.tell(20, "in_progress")
    assert begun.id == resume.state_id
    with pytest.raises(BuildStateRefused, match="State 20 is in progress"):
        failed.tell(20, "in_progress")
    ended = failed.tell(20)
    assert (ended.id, ended.start_time) == (begun.id, begun.start_time)
    failed.tell(30)
    failed.tell(100)
    assert failed.now.status == "completed"
    assert failed.builds.resumes.get(failed.id, resume.id).status == "completed"


def test_a_build_server_may_go_on_with_a_later_state(failed: OneBuild) -> None:
    failed.resume()
    failed.tell(30)
    assert failed.told[-2:] == [(30, 1, "failed"), (30, 2, "completed")]


def test_a_resume_goes_back_only_as_far_as_it_must(failed: OneBuild) -> None:
    failed.resume()
    with pytest.raises(BuildStateRefused, match="State 10 is completed"):
        failed.tell(10)


def test_one_resume_at_a_time(failed: OneBuild) -> None:
    first = failed.resume()
    with pytest.raises(ResumeUnderWay) as refused:
        failed.resume()
    assert refused.value.resume_id == first.id
    assert context_of(failed).pending_resume_id == first.id
    assert not context_of(failed).can_resume


def test_of_many_who_resume_one_does(failed: OneBuild) -> None:
    def resume(_: int) -> bool:
        try:
            failed.resume()
        except ResumeUnderWay:
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        resumed = list(pool.map(resume, range(16)))
    assert resumed.count(True) == 1
    assert failed.now.resumes == 1


def test_a_resume_takes_over_what_nobody_ends(build: OneBuild) -> None:
    build.tell_with_artifact(10)
    build.tell(20, "in_progress")
    build.resume()
    assert build.told == [(10, 1, "completed"), (20, 1, "failed"), (20, 2, "in_progress")]
    assert build.history[1].message == "given up for a resume"


def test_its_life_goes_forward_only(failed: OneBuild) -> None:
    resume = failed.resume()
    for status in (ResumeStatus.TRIGGERED, ResumeStatus.TRIGGERED, ResumeStatus.RUNNING):
        assert failed.move(resume, status).status is status
    with pytest.raises(BuildStateRefused, match="forward only"):
        failed.move(resume, ResumeStatus.PENDING)
    done = failed.move(resume, ResumeStatus.COMPLETED, "restored")
    assert done.ended_at is not None
    assert (done.status, done.message) == ("completed", "restored")
    with pytest.raises(BuildStateRefused, match="forward only"):
        failed.move(resume, ResumeStatus.FAILED)
    assert failed.now.status == "in_progress"


def test_a_resume_that_failed_fails_the_build_again(failed: OneBuild) -> None:
    resume = failed.resume()
    failed.move(resume, ResumeStatus.FAILED, "no machine")
    assert (failed.now.status, failed.now.message) == ("failed", "no machine")
    assert failed.told[-1] == (20, 2, "failed")
    again = failed.resume()
    assert again.id != resume.id


def test_a_build_that_fails_again_fails_its_resume(failed: OneBuild) -> None:
    resume = failed.resume()
    failed.fail(message="again")
    ended = failed.builds.resumes.get(failed.id, resume.id)
    assert (ended.status, ended.message) == ("failed", "again")


def test_every_attempt_that_a_resume_ends_is_in_the_audit_trail(
    build: OneBuild, sql: psycopg.Connection[DictRow]
) -> None:
    build.tell_with_artifact(10)
    build.tell(20, "in_progress")
    resume = build.resume()
    build.move(resume, ResumeStatus.FAILED, "no machine")
    events = sql.execute(
        "SELECT operation, details FROM registry.outbox WHERE run_id = %s AND artifact_id IS NULL"
        " ORDER BY position DESC LIMIT 5",
        [build.id],
    ).fetchall()
    assert [event["operation"] for event in events[::-1]] == [
        "build_state",
        "build_resumed",
        "build_state",
        "build_resume_status",
        "build_failed",
    ]
    given_up, resumed, failed, ended, _ = (event["details"] for event in events[::-1])
    assert (given_up["state"], given_up["reason"]) == (20, "given up for a resume")
    assert resumed["after"] == {"status": "in_progress", "state": 10}
    assert resumed["state_id"] == failed["state_id"] == str(resume.state_id)
    assert (ended["before"], ended["after"]) == ({"status": "pending"}, {"status": "failed"})


def test_what_is_saved_counts_once_the_build_gets_on(
    failed: OneBuild, sql: psycopg.Connection[DictRow]
) -> None:
    def saved() -> float:
        query = "SELECT saved_seconds FROM registry.runs WHERE run_id = %s"
        row = sql.execute(query, [failed.id]).fetchone()
        assert row
        return row["saved_seconds"]

    kept = failed.history[0].duration_seconds
    resume = failed.resume()
    assert resume.saved_seconds == kept
    assert saved() == 0
    failed.move(resume, ResumeStatus.COMPLETED)
    assert saved() == 0
    failed.tell(20)
    failed.tell(30)
    assert saved() == kept


def test_nothing_to_go_on_from_is_told(build: OneBuild) -> None:
    build.tell(10)
    build.tell(20)
    build.fail()
    with pytest.raises(ResumeNotPossible) as refused:
        build.resume()
    assert refused.value.missing == ("a resumable artifact of state 20",)
    context = context_of(build)
    assert (context.can_resume, context.resume_from) == (False, None)
    assert context.missing == ["a resumable artifact of state 20"]


def test_a_build_that_completed_nothing_begins_anew(build: OneBuild) -> None:
    build.tell(10, "failed")
    build.fail()
    resume = build.resume()
    assert (resume.from_state, resume.next_state, resume.saved_seconds) == (None, 10, 0)


def test_only_what_failed_is_resumed(build: OneBuild) -> None:
    with pytest.raises(BuildStateRefused, match="pending"):
        build.resume()
    build.tell_with_artifact(100)
    with pytest.raises(BuildStateRefused, match="completed"):
        build.resume()
    assert context_of(build).missing == ["the build is completed"]


@pytest.mark.parametrize("state", [30, 15])
def test_a_state_that_was_not_completed_is_nothing_to_go_on_from(
    failed: OneBuild, state: int
) -> None:
    with pytest.raises(InvalidInput) as refused:
        failed.resume(from_state=state)
    assert refused.value.pointer == "/from_state"


def test_a_state_that_is_asked_for_must_have_what_it_needs(failed: OneBuild) -> None:
    with pytest.raises(ResumeNotPossible) as refused:
        failed.resume(from_state=20)
    assert refused.value.missing == ("a resumable artifact of state 20",)
    assert failed.resume(from_state=10).from_state == 10


def test_what_a_resume_went_back_behind_counts_no_more(build: OneBuild) -> None:
    build.tell_with_artifact(10)
    build.tell_with_artifact(20)
    build.fail()
    build.resume(from_state=10)
    build.tell(30)
    build.fail()
    context = context_of(build)
    assert context.resume_from == StateName(code=10, name="state-10")
    assert [each.artifact_name for each in context.resumable_artifacts] == ["state-10"]
    with pytest.raises(InvalidInput):
        build.resume(from_state=20)


def test_what_was_registered_at_a_failed_attempt_is_nothing_to_go_on_from(build: OneBuild) -> None:
    build.tell(10, "in_progress")
    register(build, "disk", 10)
    build.tell(10, "failed")
    build.tell(10)
    build.fail()
    assert context_of(build).missing == ["a resumable artifact of state 10"]
    register(build, "disk", 10, overwrite=True)
    assert build.resume().from_state == 10


def test_what_is_told_at_the_beginning_is_gone_on_from_once_it_is_completed(
    build: OneBuild,
) -> None:
    build.tell_with_artifact(10, "in_progress")
    assert not build.builds.artifacts.list_artifacts(
        build.id, BuildArtifactFilter(is_resumable=True)
    ).artifacts
    build.tell(10)
    build.fail()
    assert context_of(build).resume_from == StateName(code=10, name="state-10")


def test_of_very_large_artifacts_the_latest_are_told(build: OneBuild) -> None:
    for number in range(11):
        register(build, f"large-{number}", 10, metadata={"text": "x" * 900_000})
    build.tell(10)
    build.fail()
    context = context_of(build)
    assert context.artifacts_left_out
    told = [each.artifact_name for each in context.resumable_artifacts]
    assert told == [f"large-{number}" for number in range(3, 11)]
    assert context.can_resume


def test_a_catalogue_says_what_a_state_requires(planned: OneBuild) -> None:
    register(planned, "disk", 10)
    planned.tell("base")
    planned.tell_with_artifact(20)
    planned.fail()
    with pytest.raises(ResumeNotPossible) as refused:
        planned.resume()
    assert refused.value.missing == ("the artifact config, which state 10 requires",)
    register(planned, "config", 10)
    resume = planned.resume()
    assert (resume.from_state, resume.next_state) == (10, 20)


def test_a_catalogue_says_what_comes_next(planned: OneBuild) -> None:
    register(planned, "disk", 10)
    register(planned, "config", 10)
    planned.tell("base")
    planned.tell("broken")
    context = context_of(planned)
    assert context.next_state == StateName(code=20, name="packages")
    assert context.failed_state == StateName(code=99, name="broken")


def test_an_error_state_is_nothing_to_go_on_with(planned: OneBuild) -> None:
    planned.tell("base", "failed")
    planned.tell("broken")
    assert context_of(planned).next_state == StateName(code=10, name="base")


def test_artifacts_that_cannot_be_used_are_left_out(
    failed: OneBuild, clock: TickingClock, sql: psycopg.Connection[DictRow]
) -> None:
    artifacts = failed.builds.artifacts
    soon = clock.now + timedelta(minutes=5)
    for name in ("deleted", "expired", "corrupt", "missing", "not-resumable", "fine"):
        register(failed, name, 20, expires_at=soon if name == "expired" else None)
    page = artifacts.list_artifacts(failed.id, BuildArtifactFilter())
    by_name = {each.artifact_name: each.id for each in page.artifacts}
    artifacts.delete(failed.id, by_name["deleted"], ORIGIN)
    changes = BuildArtifactChanges(is_resumable=False)
    artifacts.update(failed.id, by_name["not-resumable"], changes, ORIGIN)
    clock.now += timedelta(minutes=10)
    sql.execute(
        "UPDATE registry.artifacts SET found_corrupt_at = now() WHERE artifact_id = %s",
        [by_name["corrupt"]],
    )
    sql.execute(
        "UPDATE registry.artifacts SET missing_since = now() WHERE artifact_id = %s",
        [by_name["missing"]],
    )
    context = context_of(failed)
    assert context.resume_from == StateName(code=20, name="state-20")
    assert [each.artifact_name for each in context.resumable_artifacts] == ["state-10", "fine"]


def test_variables_that_a_resume_needs_must_be_set(failed: OneBuild) -> None:
    variables = failed.builds.variables
    variables.put(failed.id, "REGION", VariableRequest(required_for_resume=True), ORIGIN)
    variables.put(failed.id, "COLOUR", VariableRequest(value="blue"), ORIGIN)
    with pytest.raises(ResumeNotPossible) as refused:
        failed.resume()
    assert refused.value.missing == ("the variable REGION",)
    variables.put(
        failed.id, "REGION", VariableRequest(value="eu", required_for_resume=True), ORIGIN
    )
    told = context_of(failed).variables
    assert [(each.name, each.value) for each in told] == [("REGION", "eu")]
    failed.resume()


def test_resumes_come_in_pages_newest_first(failed: OneBuild) -> None:
    made: list[UUID] = []
    for _ in range(3):
        made.append(failed.resume().id)
        failed.fail()
    page = failed.builds.resumes.list_resumes(failed.id, limit=2)
    rest = failed.builds.resumes.list_resumes(failed.id, limit=2, cursor=page.next)
    assert [each.id for each in (*page.resumes, *rest.resumes)] == made[::-1]
    assert rest.next is None


def test_of_another_build_nothing_is_told(builds: Builds, failed: OneBuild) -> None:
    resume = failed.resume()
    other = OneBuild.begun(builds, "build-2")
    with pytest.raises(ResumeNotFound):
        builds.resumes.get(other.id, resume.id)
    with pytest.raises(ResumeNotFound):
        other.move(resume, ResumeStatus.RUNNING)
    nobody = OneBuild(builds, new_id())
    for ask in (nobody.resume, lambda: context_of(nobody)):
        with pytest.raises(BuildNotFound):
            ask()
