"""`registry stats`: how much is registered of what, and what failed."""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer

from cli.arguments import AnyClientOption, OutputOption, query
from cli.connecting import STATISTICS, connected
from cli.exchange import JsonObject, NoRegistry, figure
from cli.output import Output, write_many, write_one
from cli.pages import objects
from cli.pictures import drawing_into

_FIGURES = ["artifact_count", "size_bytes", "deleted_count", "deleted_bytes"]
_BY = "by_"


def stats(
    context: typer.Context,
    client_type: AnyClientOption = None,
    days: Annotated[int, typer.Option(min=1, max=366, help="Back from today.")] = 30,
    plot: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Draw instead; FILE ends in .svg or .png."),
    ] = None,
    output: OutputOption = Output.TABLE,
) -> None:
    """Show artifacts and bytes by what they are and by day, and errors by operation."""
    with connected(context) as client:
        asked = query(client_type=client_type, days=days)
        if plot is not None:
            with drawing_into(plot):
                from cli.stats_plots import save_picture  # noqa: PLC0415 - slow, and an extra

                save_picture(client.ask("GET", STATISTICS, parameters=asked).body, plot, days)
            return
        answer = client.ask("GET", STATISTICS, parameters=asked).body
        if output is Output.TABLE:
            _write_tables(answer)
        else:
            write_one(answer, output)


def _write_tables(answer: JsonObject) -> None:
    """By figure, by day, and what failed: where there is any of it."""
    write_many(list(_values(answer)), Output.TABLE, ["by", "value", *_FIGURES])
    days, errors = objects(answer.get("days")), objects(answer.get("errors_by_operation"))
    if days:
        sys.stdout.write("\n")
        write_many(days, Output.TABLE, ["day", *_FIGURES])
    if errors:
        sys.stdout.write("\n")
        write_many(errors, Output.TABLE, ["operation", "errors"])


def _values(answer: JsonObject) -> Iterator[JsonObject]:
    """All values of all figures, what is not listed together, and all artifacts in the end."""
    for name, breakdown in answer.items():
        if not name.startswith(_BY):
            continue
        if not isinstance(breakdown, dict):
            raise NoRegistry("the answer holds no figures")
        by = {"by": name.removeprefix(_BY)}
        for value in objects(breakdown.get("values")):
            yield {**value, **by, "value": value.get("value") or "(none)"}
        others = breakdown.get("others")
        if isinstance(others, dict) and figure(others, "artifact_count"):
            yield {**others, **by, "value": "(others)"}
    yield {"by": "all", "value": "", **{name: figure(answer, name) for name in _FIGURES}}
