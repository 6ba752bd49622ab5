"""The same for the queries of builds: projects, builds, their states, artifacts and resumes."""

from collections.abc import Iterator

from tests.integration.plan_questions import Case, identifier


def cases() -> Iterator[Case]:
    yield from _of_projects()
    yield from _of_variables()
    yield from _of_dashboard()


def _of_projects() -> Iterator[Case]:
    yield Case("projects.get", {"name": "project 78"}, rows=1)
    for after in ("", "project 78", "zzz"):
        yield Case("projects.page", {"after": after, "limit": 10}, rows=20)


def _of_variables() -> Iterator[Case]:
    build = {"build_id": identifier("build 78")}
    yield Case("build_variables.hold", build | {"name": "V78"}, rows=100)
    yield Case("build_variables.of_build", build, rows=101)


def _of_dashboard() -> Iterator[Case]:
    for project in (None, "project 78", "unknown"):
        totals = {"project": project, "most": 102}
        yield Case("build_dashboard.read_totals", totals, rows=2_000)
    yield Case("build_dashboard.durations", {"most": 10}, rows=101 * 10)
