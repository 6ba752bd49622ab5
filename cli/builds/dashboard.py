"""`bldst dashboard`: how builds are doing, all together."""

from typing import Annotated

import typer

from cli.arguments import query
from cli.builds.arguments import OutputOption
from cli.builds.asking import BUILDS
from cli.builds.builds import BUILD_COLUMNS
from cli.builds.configuration import connected
from cli.builds.writing import write_list
from cli.exchange import JsonObject
from cli.output import Output, write_one
from cli.pages import objects

_COUNTS = {
    "by_status": "Status",
    "by_project": "Project",
    "by_platform": "Platform",
    "by_state": "State",
}
_DURATIONS = {
    "State": "state",
    "Attempts": "attempts",
    "p50 (s)": "p50_seconds",
    "p90 (s)": "p90_seconds",
    "p95 (s)": "p95_seconds",
    "p99 (s)": "p99_seconds",
}


def dashboard(
    context: typer.Context,
    project: Annotated[str | None, typer.Option(help="Only builds of this project.")] = None,
    output: OutputOption = Output.TABLE,
) -> None:
    """Tell how builds are doing: totals, the latest, durations, and what resuming saved."""
    with connected(context) as client:
        asked = query(project=project)
        told = client.ask("GET", [*BUILDS, "dashboard"], parameters=asked).body
        if output is Output.TABLE:
            _write_tables(told)
        else:
            write_one(told, output)


def _write_tables(told: JsonObject) -> None:
    figures: JsonObject = {
        name: value for name, value in told.items() if not isinstance(value, list)
    }
    write_one(figures, Output.TABLE)
    for member, title in _COUNTS.items():
        columns = {title: "value", "Builds": "builds"}
        write_list(objects(told.get(member)), Output.TABLE, columns)
    write_list(objects(told.get("recent")), Output.TABLE, BUILD_COLUMNS)
    write_list(objects(told.get("durations")), Output.TABLE, _DURATIONS)
