"""`registry policies`: what one would have done, and pictures of what they will do."""

from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from cli.arguments import DayOption, OutputOption
from cli.connecting import POLICIES, STATISTICS, connected
from cli.document_files import DocumentFile, read_document_file
from cli.documents import FILE_HELP
from cli.exchange import JsonObject, figure, json_body
from cli.faults import say
from cli.misuse import refuse
from cli.output import Output, write_many
from cli.pages import follow, items, next_cursor, objects
from cli.pictures import drawing_into

if TYPE_CHECKING:
    from cli.client import RegistryClient

policy_forecasts = typer.Typer()

_MONTHS = ["month", "artifacts", "bytes"]


@policy_forecasts.command()
def simulate(
    context: typer.Context,
    since: DayOption,
    name: Annotated[str | None, typer.Argument(metavar="NAME")] = None,
    source: Annotated[
        str | None,
        typer.Option("--file", metavar="FILE", help=f"Policies that are not kept yet. {FILE_HELP}"),
    ] = None,
    output: OutputOption = Output.TABLE,
) -> None:
    """Replay a policy over history: what it would have done in which month; changes nothing.

    With a file, NAME is one of its policies, and may be left out where it holds one.
    """
    with connected(context) as client:
        file = None if source is None else read_document_file(source, "policies")
        asked: JsonObject = {**_wanted(name, file), "since": since}
        artifacts, freed = Counter[str](), Counter[str]()
        for page in _watched(_simulated(client, asked)):
            for month in objects(page.get("months")):
                artifacts[str(month.get("month"))] += figure(month, "artifacts")
                freed[str(month.get("month"))] += figure(month, "bytes")
        months: Iterator[JsonObject] = (
            {"month": month, "artifacts": artifacts[month], "bytes": freed[month]}
            for month in sorted(artifacts)
        )
        if not artifacts:
            say("the policy would have done nothing")
        write_many(months, output, _MONTHS)


@policy_forecasts.command()
def plot(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="Ends in .svg or .png.")],
    days: Annotated[int, typer.Option(min=1, max=366, help="As many back, and ahead.")] = 90,
) -> None:
    """Draw the bytes by tier and status until now, and what policies will do to how many."""
    with connected(context) as client, drawing_into(file):
        from cli.policy_plots import save_picture  # noqa: PLC0415 - slow, and an extra

        asked = {"days": str(days)}
        history = client.ask("GET", [*STATISTICS, "history"], parameters=asked).body
        pages = follow(client, [*STATISTICS, "forecast"], asked, "days", None)
        passed, to_come = objects(history.get("days")), items(_watched(pages), "days")
        save_picture(passed, to_come, file, _today(history), days)


def _wanted(name: str | None, file: DocumentFile | None) -> JsonObject:
    """The policy of a file, or the name of one that is kept."""
    if file is None:
        if name is None:
            refuse("give the name of a policy, or a file with --file")
        return {"name": name}
    listed = file.value.get("policies")
    held = [each for each in listed if isinstance(each, dict)] if isinstance(listed, list) else []
    found = [each for each in held if name is None or each.get("name") == name]
    if name is None and len(held) > 1:
        refuse(f"{file.source} holds {len(held)} policies: give the name of one")
    if len(found) != 1:
        refuse(f"{file.source} holds {len(found)} policies of that name: give one of its names")
    return {"policy": found[0]}


def _simulated(client: "RegistryClient", asked: JsonObject) -> Iterator[JsonObject]:
    """All pages of a simulation."""
    cursor = None
    while True:
        place: JsonObject = {} if cursor is None else {"cursor": cursor}
        body = json_body({**asked, **place})
        page = client.ask("POST", [*POLICIES, "simulate"], body=body).body
        yield page
        cursor = next_cursor(page, cursor)
        if cursor is None:
            return


def _watched(pages: Iterable[JsonObject]) -> Iterator[JsonObject]:
    """The same pages; tells somebody who looks how far they are."""
    looked_at = 0
    with Console(stderr=True).status("looking at artifacts") as status:
        for page in pages:
            yield page
            looked_at += figure(page, "looked_at")
            status.update(f"looked at {looked_at:,} artifacts")


def _today(history: JsonObject) -> date:
    """The registry's day; where it does not tell it, ours."""
    today = history.get("today")
    try:
        return date.fromisoformat(str(today))
    except ValueError:
        return datetime.now(UTC).date()
