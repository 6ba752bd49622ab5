"""The same for the queries of builds: projects, builds, their states, artifacts and resumes."""

from collections.abc import Iterator
from typing import Any
from uuid import UUID

from psycopg.types.json import Jsonb

from tests.integration.plan_questions import NOW, Case, identifier

MANY_ARTIFACTS = identifier("build 0")
"""A build with 100 states and 1,000 artifacts, and with 1,000 variables."""
MANY_ATTEMPTS = identifier("build 1")
"""One with 1,900 attempts and 100 resumes."""
LONG_CHAIN = identifier("build 2")
"""One with 1,000 revisions of an artifact."""
A_BUILD = identifier("build 1500")

_LAST_ID = UUID(int=2**128 - 1)
_ASKED = {"origin": {"actor": "test", "request_id": None}, "at": NOW.isoformat()}


def cases() -> Iterator[Case]:
    yield from _of_projects()
    yield from _of_builds()
    yield from _of_states()
    yield from _of_artifacts()
    yield from _of_resumes()
    yield from _of_variables()
    yield from _of_dashboard()


def _of_projects() -> Iterator[Case]:
    yield Case("projects.get", {"name": "project 78"}, rows=1)
    for after in ("", "project 78", "zzz"):
        yield Case("projects.page", {"after": after, "limit": 10}, rows=20)


def _of_builds() -> Iterator[Case]:
    yield Case("builds.get", {"build_id": A_BUILD}, rows=1)
    page = {"before_id": _LAST_ID, "limit": 10, "looked_at": 50}
    facets = ("project", "platform", "os_version", "image_type")
    shared = {"project": "images", "platform": "x86", "os_version": "noble", "image_type": "server"}
    met_by_many: list[dict[str, Any]] = [{}, {"status": "completed"}, {"state_code": 100}, shared]
    met_by_many += [{facet: shared[facet]} for facet in facets]
    met_by_few: list[dict[str, Any]] = [
        {"run_name": "build 78"},
        {"project": "project 79"},
        {"status": "pending"},
        {"state_code": 77},
        {"platform": "none"},
        shared | {"status": "failed", "state_code": 12},
    ]
    for wanted in met_by_many + met_by_few:
        yield Case("builds.page", page | {"wanted": Jsonb(wanted)}, rows=60)


def _of_states() -> Iterator[Case]:
    for before in (2**31 - 1, 500):
        page = {"build_id": MANY_ATTEMPTS, "before_position": before, "limit": 10}
        yield Case("builds.states", page, rows=20)
    for status in ("in_progress", "completed", "failed"):
        told = {"state_code": 99, "state_name": None, "status": status, "message": "why"}
        opened = {"build_id": str(MANY_ATTEMPTS), "step_id": str(identifier("new"))}
        stored = {"artifact": _registration(MANY_ATTEMPTS, "state-99")}
        request = Jsonb(_ASKED | told | opened | stored)
        yield Case("builds.report_state", {"request": request}, rows=40)


def _of_artifacts() -> Iterator[Case]:
    for build in (MANY_ARTIFACTS, LONG_CHAIN):
        every = 3 * 1010  # with its asset, and what else that holds
        for wanted, rows in (
            ({}, every),
            ({"is_resumable": True}, every),
            ({"state_code": 50}, 100),
            ({"artifact_type": "none", "is_final": True}, every),
        ):
            none = dict.fromkeys(
                ("state_code", "artifact_type", "is_resumable", "is_final", "after")
            )
            request = none | {"build_id": str(build), "most": 10} | wanted
            yield Case("build_artifacts.page", {"request": Jsonb(request)}, rows=rows)
    place = {"build_id": MANY_ARTIFACTS, "artifact_id": identifier("long artifact 78")}
    yield Case("build_artifacts.get", place, rows=4)
    yield Case("build_artifacts.told_bytes", {"artifact_id": place["artifact_id"]}, rows=4)
    held = place | {"new_name": "artifact 79", "shares_holds": True}
    yield Case("build_artifacts.hold", held, rows=20)
    renamed = {"artifact_id": str(place["artifact_id"]), "name": "another"}
    yield Case("build_artifacts.rename", {"request": Jsonb(_ASKED | renamed)}, rows=40)
    taken_up = _ASKED | {"artifact_id": str(place["artifact_id"])}
    yield Case("build_artifacts.take_up", {"request": Jsonb(taken_up)}, rows=10)
    added = _registration(LONG_CHAIN, "overwritten")
    yield Case("build_artifacts.add", {"request": Jsonb(added)}, rows=40)


def _of_resumes() -> Iterator[Case]:
    context = {"at": NOW}
    yield Case("builds.resume_context", context | {"build_id": MANY_ARTIFACTS}, rows=9_000)
    yield Case("builds.resume_context", context | {"build_id": MANY_ATTEMPTS}, rows=8_000)
    yield Case("builds.resume_context", context | {"build_id": A_BUILD}, rows=100)
    ids = {"resume_id": str(identifier("new")), "step_id": str(identifier("new"))}
    wanted = {"build_id": str(MANY_ARTIFACTS), "from_state": None, "reason": "why"}
    yield Case("builds.resume", {"request": Jsonb(_ASKED | ids | wanted)}, rows=5_000)
    resume = {"build_id": MANY_ATTEMPTS, "resume_id": identifier("resume 78")}
    yield Case("builds.get_resume", resume, rows=1)
    page = {"build_id": MANY_ATTEMPTS, "before_id": _LAST_ID, "limit": 10}
    yield Case("builds.resumes", page, rows=20)


def _of_variables() -> Iterator[Case]:
    yield Case("build_variables.hold", {"build_id": MANY_ARTIFACTS, "name": "V78"}, rows=1003)
    yield Case("build_variables.of_build", {"build_id": MANY_ARTIFACTS}, rows=1001)


def _of_dashboard() -> Iterator[Case]:
    for project in (None, "project 78", "unknown"):
        # All notes, 1,102 sums of each of two figures, and the sum of each value of these.
        totals = {"project": project, "most": 102}
        yield Case("build_dashboard.read_totals", totals, rows=12_000)
    yield Case("build_dashboard.durations", {"most": 10}, rows=101 * 10)


def _registration(build: UUID, name: str) -> dict[str, Any]:
    artifact: dict[str, Any] = {
        "artifact_id": str(identifier("new")),
        "storage_backend": "s3",
        "uri": "s3://builds/new",
        "processing": "completed",
        "stage": "intermediate",
        "metadata": {},
        "run_id": str(build),
        "is_resumable": True,
        "is_final": False,
        "created_at": NOW.isoformat(),
    }
    registration: dict[str, Any] = {
        "client_type": "build",
        "client_refs": {"build_id": str(build), "name": name},
        "asset_id": str(identifier("unused")),
        "origin": _ASKED["origin"],
        "overwrite": True,
        "register_unchanged": True,
        "is_repeatable": False,
        "once_per_state": False,
        "artifact": artifact,
    }
    return {"run_id": str(build), "state_code": 10, "registration": registration}
