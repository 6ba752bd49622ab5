"""`registry audit`: who did what to which artifact, and what came of it."""

from collections import Counter
from collections.abc import Iterator
from typing import Annotated
from uuid import UUID

import typer

from cli.arguments import (
    AllOption,
    IdArgument,
    InstantOption,
    LimitOption,
    OutputOption,
    id_of,
    query,
)
from cli.audit_export import export
from cli.audit_reconcile import reconcile
from cli.audit_retain import retain
from cli.audit_verify import verify
from cli.connecting import AUDIT, connected
from cli.exchange import JsonObject, figure
from cli.output import Output, write_many
from cli.pages import follow, items, next_cursor, wanted

audit = typer.Typer(help="Who did what, and what came of it.", no_args_is_help=True)
audit.command()(export)
audit.command()(reconcile)
audit.command()(retain)
audit.command()(verify)

_COLUMNS = [
    *("number", "time", "operation", "action", "actor", "artifact_id", "run_id", "success"),
    "error",
]
_OF_ARTIFACT = ["number", "time", "operation", "action", "actor", "success", "error", "details"]


@audit.command("query")
def query_trail(
    context: typer.Context,
    artifact: Annotated[UUID | None, typer.Option(parser=id_of, metavar="ARTIFACT_ID")] = None,
    run: Annotated[UUID | None, typer.Option(parser=id_of, metavar="RUN_ID")] = None,
    operation: str | None = None,
    action: str | None = None,
    actor: Annotated[str | None, typer.Option(help="Like key:ID, or function:NAME.")] = None,
    success: Annotated[
        bool | None, typer.Option("--success/--failed", help="What came of it.")
    ] = None,
    start: InstantOption = None,
    end: InstantOption = None,
    limit: LimitOption = None,
    everything: AllOption = False,
    output: OutputOption = Output.TABLE,
) -> None:
    """List events, newest first, by what they are and when they happened."""
    with connected(context) as client:
        asked = query(
            artifact_id=None if artifact is None else str(artifact),
            run_id=None if run is None else str(run),
            operation=operation,
            action=action,
            actor=actor,
            success=success,
            start=start,
            end=end,
        )
        pages = follow(client, AUDIT, asked, "events", wanted(limit, everything=everything))
        write_many(items(pages, "events"), output, _COLUMNS)


@audit.command()
def history(
    context: typer.Context,
    artifact_id: IdArgument,
    limit: LimitOption = None,
    everything: AllOption = False,
    output: OutputOption = Output.TABLE,
) -> None:
    """List what was done to an artifact, newest first."""
    with connected(context) as client:
        asked = {"artifact_id": str(artifact_id)}
        pages = follow(client, AUDIT, asked, "events", wanted(limit, everything=everything))
        write_many(items(pages, "events"), output, _OF_ARTIFACT)


@audit.command("errors")
def summarize_errors(
    context: typer.Context,
    start: InstantOption = None,
    end: InstantOption = None,
    output: OutputOption = Output.TABLE,
) -> None:
    """Count what failed, by operation and by reason."""
    with connected(context) as client:
        counts = Counter[tuple[str, str]]()
        cursor = None
        while True:
            asked = query(start=start, end=end, cursor=cursor)
            page = client.ask("GET", [*AUDIT, "errors"], parameters=asked).body
            counts.update(_counts(page))
            cursor = next_cursor(page, cursor)
            if cursor is None:
                break
        write_many(_rows(counts), output, ["by", "name", "errors"])


def _counts(page: JsonObject) -> dict[tuple[str, str], int]:
    return {
        (by, name): figure(told, name)
        for by in ("operation", "reason")
        if isinstance(told := page.get(f"errors_by_{by}"), dict)
        for name in told
    }


def _rows(counts: Counter[tuple[str, str]]) -> Iterator[JsonObject]:
    for by in ("operation", "reason"):
        of_kind = [(name, count) for (kind, name), count in counts.most_common() if kind == by]
        for name, count in of_kind:
            yield {"by": by, "name": name, "errors": count}
