"""States of builds: forward only, one attempt at a time, failures that keep the state."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import psycopg
import pytest
from psycopg.rows import DictRow

from shared.errors import BuildExists, BuildNotFound, BuildStateRefused, InvalidInput
from shared.models.build_catalogues import ProjectRequest
from shared.models.build_states import StateReport
from shared.models.builds import BuildFilter, BuildStatus
from shared.models.ids import new_id
from shared.services.build_surface import Builds
from tests.integration.building import ORIGIN, OneBuild
from tests.integration.clock import TickingClock

CATALOGUE = [
    {"code": 0, "name": "created", "initial": True, "resumable": False},
    {"code": 10, "name": "base-image-created", "required_artifacts": ["base"]},
    {"code": 20, "name": "package-installation"},
    {"code": 90, "name": "tested", "final": True},
    {"code": 99, "name": "broken", "error": True},
]


@pytest.fixture
def build(builds: Builds) -> OneBuild:
    return OneBuild.begun(builds)


@pytest.fixture
def planned(builds: Builds) -> OneBuild:
    """A build whose project has a catalogue."""
    builds.projects.put("images", ProjectRequest.model_validate({"states": CATALOGUE}), ORIGIN)
    return OneBuild.begun(builds, project="images")


def test_a_number_belongs_to_one_build(builds: Builds, build: OneBuild) -> None:
    with pytest.raises(BuildExists) as refused:
        OneBuild.begun(builds)
    assert refused.value.build_id == build.id


def test_a_build_goes_from_state_to_state(build: OneBuild) -> None:
    assert build.now.status is BuildStatus.PENDING
    build.tell(10, state_name="base-image-created", message="done")
    assert (build.now.status, build.now.state, build.now.state_name) == (
        "in_progress",
        10,
        "base-image-created",
    )
    build.tell(100)
    assert (build.now.status, build.now.state, build.now.state_name) == (
        "completed",
        100,
        "state-100",
    )
    assert build.now.start_time == build.history[0].start_time
    assert build.now.end_time == build.history[-1].end_time


def test_what_was_begun_is_ended_once(build: OneBuild) -> None:
    begun = build.tell(20, "in_progress", message="begun")
    assert (begun.end_time, begun.duration_seconds) == (None, None)
    ended = build.tell(20)
    assert (ended.id, ended.start_time, ended.message) == (begun.id, begun.start_time, "begun")
    assert ended.end_time is not None
    assert ended.duration_seconds == (ended.end_time - begun.start_time).total_seconds()


def test_a_state_that_nobody_began_took_since_the_one_before(build: OneBuild) -> None:
    first, second = build.tell(10), build.tell(20)
    assert first.start_time == build.now.created_at
    assert second.start_time == first.end_time


def test_a_failed_attempt_keeps_the_state(build: OneBuild) -> None:
    build.tell(10)
    build.tell(20, "failed", message="no network")
    assert (build.now.status, build.now.state) == ("in_progress", 10)
    build.tell(20, "in_progress")
    build.tell(20, "failed")
    build.tell(20)
    assert build.told == [
        (10, 1, "completed"),
        (20, 1, "failed"),
        (20, 2, "failed"),
        (20, 3, "completed"),
    ]


@pytest.mark.parametrize("state", [10, 20])
@pytest.mark.parametrize("status", ["in_progress", "completed", "failed"])
def test_no_way_leads_back(build: OneBuild, state: int, status: str) -> None:
    build.tell(20)
    with pytest.raises(BuildStateRefused, match="State 20 is completed"):
        build.tell(state, status)
    assert build.told == [(20, 1, "completed")]


@pytest.mark.parametrize(("state", "status"), [(30, "completed"), (20, "in_progress")])
def test_what_is_in_progress_is_ended_first(build: OneBuild, state: int, status: str) -> None:
    build.tell(20, "in_progress")
    with pytest.raises(BuildStateRefused, match="State 20 is in progress"):
        build.tell(state, status)


@pytest.mark.parametrize("ended", ["completed", "failed"])
def test_a_build_that_ended_takes_no_more(build: OneBuild, ended: str) -> None:
    build.tell(100) if ended == "completed" else build.fail()
    with pytest.raises(BuildStateRefused, match=f"The build is {ended}"):
        build.tell(100)
    if ended == "completed":
        with pytest.raises(BuildStateRefused, match="completed"):
            build.fail()
    else:
        assert build.fail(message="again").message is None


def test_a_failure_ends_what_is_in_progress(build: OneBuild) -> None:
    build.tell(10)
    build.tell(20, "in_progress")
    failed = build.fail(message="disk full")
    assert (failed.status, failed.state, failed.message) == ("failed", 10, "disk full")
    assert failed.end_time is not None
    assert [(each.state, each.status, each.message) for each in build.history][1:] == [
        (20, "failed", "disk full")
    ]


def test_a_failure_is_told_of_a_state(build: OneBuild) -> None:
    build.tell(10)
    build.fail(state_code=30, message="segfault")
    assert build.told == [(10, 1, "completed"), (30, 1, "failed")]


def test_a_failure_at_another_state_than_the_one_in_progress(build: OneBuild) -> None:
    build.tell(20, "in_progress")
    with pytest.raises(BuildStateRefused, match="State 20 is in progress"):
        build.fail(state_code=30)


def test_a_failure_before_any_state(build: OneBuild) -> None:
    assert build.fail().status == "failed"
    assert build.told == []


def test_names_are_looked_up_in_the_catalogue(planned: OneBuild) -> None:
    assert planned.tell("created").state == 0
    assert planned.tell(10).state_name == "base-image-created"
    assert planned.tell("package-installation", state_code=20).state == 20


@pytest.mark.parametrize(
    ("told", "pointer"),
    [
        ({"state_name": "unheard"}, "/state_name"),
        ({"state_code": 11}, "/state_code"),
        ({"state_code": 10, "state_name": "created"}, "/state_name"),
    ],
)
def test_a_catalogue_refuses_what_it_does_not_have(
    planned: OneBuild, told: dict[str, object], pointer: str
) -> None:
    report = StateReport.model_validate(told)
    with pytest.raises(InvalidInput) as refused:
        planned.builds.states.report(planned.id, report, ORIGIN)
    assert refused.value.pointer == pointer


def test_a_name_alone_needs_a_catalogue(build: OneBuild) -> None:
    with pytest.raises(InvalidInput, match="no catalogue") as refused:
        build.tell("base-image-created")
    assert refused.value.pointer == "/state_name"


def test_a_catalogue_says_where_builds_begin_and_end(planned: OneBuild) -> None:
    with pytest.raises(BuildStateRefused, match="begins with state 0"):
        planned.tell(10)
    planned.tell("created")
    planned.tell("tested")
    assert planned.now.status == "completed"


def test_an_error_state_fails_the_build_from_anywhere(planned: OneBuild) -> None:
    planned.tell("created")
    planned.tell("package-installation", "in_progress")
    told = planned.tell("broken", message="kernel panic")
    assert told.status == "failed"
    assert (planned.now.status, planned.now.state, planned.now.message) == (
        "failed",
        0,
        "kernel panic",
    )
    assert planned.told == [(0, 1, "completed"), (20, 1, "failed"), (99, 1, "failed")]


def test_nothing_is_told_of_a_build_that_is_not_there(builds: Builds) -> None:
    nobody = OneBuild(builds, new_id())
    for ask in (lambda: nobody.tell(1), nobody.fail, lambda: nobody.history, lambda: nobody.now):
        with pytest.raises(BuildNotFound):
            ask()


def test_of_many_who_tell_the_same_one_is_heard(build: OneBuild) -> None:
    def tell(_: int) -> bool:
        try:
            build.tell(10)
        except BuildStateRefused:
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        heard = list(pool.map(tell, range(24)))
    assert heard.count(True) == 1
    assert build.told == [(10, 1, "completed")]


def test_a_state_keeps_the_name_that_it_was_given(build: OneBuild) -> None:
    build.tell(20, "in_progress", state_name="package-installation")
    assert build.tell(20, "failed").state_name == "package-installation"
    assert build.tell(20).state_name == "package-installation"
    assert build.now.state_name == "package-installation"


def test_a_clock_that_goes_back_makes_nothing_last_less_than_no_time(
    build: OneBuild, clock: TickingClock
) -> None:
    build.tell(10, "in_progress")
    clock.now -= timedelta(hours=1)
    assert build.tell(10).duration_seconds == 0
    build.tell(100)
    assert build.now.duration_seconds == 0
    assert build.now.updated_at >= build.now.created_at


def test_a_page_of_history_holds_some_megabytes(build: OneBuild) -> None:
    for state in range(11):
        build.tell_with_artifact(state, artifact_metadata={"text": "x" * 900_000})
    page = build.builds.states.list_states(build.id)
    assert 5 < len(page.states) < 11
    rest = build.builds.states.list_states(build.id, cursor=page.next)
    assert [each.state for each in (*page.states, *rest.states)] == list(range(10, -1, -1))
    assert rest.next is None


def test_history_comes_in_pages_newest_first(build: OneBuild) -> None:
    for state in range(5):
        build.tell(state)
    page = build.builds.states.list_states(build.id, limit=3)
    rest = build.builds.states.list_states(build.id, limit=3, cursor=page.next)
    assert [each.state for each in (*page.states, *rest.states)] == [4, 3, 2, 1, 0]
    assert rest.next is None


def test_builds_are_found_by_all_that_is_said_of_them(builds: Builds) -> None:
    for number in range(6):
        platform = "vsphere" if number % 2 else "aws"
        OneBuild.begun(builds, f"build-{number}", project="images", platform=platform)
    wanted = BuildFilter(project="images", platform="aws", status=BuildStatus.PENDING)
    page = builds.records.list_builds(wanted, limit=2)
    rest = builds.records.list_builds(wanted, limit=2, cursor=page.next)
    found = [build.build_number for build in (*page.builds, *rest.builds)]
    assert found == ["build-4", "build-2", "build-0"]
    assert rest.next is None
    one = builds.records.list_builds(BuildFilter(build_number="build-3", platform="aws"))
    assert (one.builds, one.next) == ([], None)


def test_every_word_is_in_the_audit_trail(
    build: OneBuild, sql: psycopg.Connection[DictRow]
) -> None:
    build.tell(10)
    build.fail(message="disk full")
    events = sql.execute(
        "SELECT operation, actor, request_id, details FROM registry.outbox WHERE run_id = %s"
        " ORDER BY position",
        [build.id],
    ).fetchall()
    assert [event["operation"] for event in events] == [
        "build_created",
        "build_state",
        "build_failed",
    ]
    assert {(event["actor"], event["request_id"]) for event in events} == {
        ("key:tests", "request-1")
    }
    assert events[2]["details"] == {
        "before": {"status": "in_progress", "state": 10},
        "after": {"status": "failed", "state": 10},
    }
