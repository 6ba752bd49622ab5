"""`registry artifacts`: looking at what is registered."""

from collections.abc import Iterable, Iterator
from typing import Annotated

import typer

from cli.arguments import (
    AllOption,
    AnyClientOption,
    ClientTypeOption,
    HashOption,
    IdArgument,
    InstantOption,
    LimitOption,
    ObjectOption,
    OutputOption,
    RefOption,
    RefsOption,
    as_text,
    query,
    references,
)
from cli.connecting import ADMIN, ARTIFACTS, connected
from cli.exchange import JsonObject, NoRegistry
from cli.faults import say
from cli.misuse import refuse
from cli.output import Output, write_many, write_one
from cli.pages import follow, items, wanted
from shared.models.axes import Processing, Stage, Status
from shared.models.chains import Direction
from shared.models.listings import ArtifactSort

reads = typer.Typer()

COLUMNS = ["artifact_id", "client_type", "client_refs", "revision", "status", "created_at"]
_GROUPS = ["content_hash", "artifact_count", "asset_count", "copies", "duplicate_bytes", "clients"]
_FIGURES = ["status", "artifact_count", "size_bytes", "row_count"]


@reads.command()
def get(
    context: typer.Context, artifact_id: IdArgument, output: OutputOption = Output.TABLE
) -> None:
    """Show one artifact."""
    with connected(context) as client:
        write_one(client.ask("GET", [*ARTIFACTS, str(artifact_id)]).body, output)


@reads.command("list")
def list_artifacts(
    context: typer.Context,
    client_type: AnyClientOption = None,
    ref: RefOption = None,
    refs: RefsOption = None,
    status: Status | None = None,
    stage: Stage | None = None,
    processing: Processing | None = None,
    artifact_type: str | None = None,
    content_hash: HashOption = None,
    storage_account: str | None = None,
    container: str | None = None,
    blob_path: str | None = None,
    job_id: str | None = None,
    stac_collection_id: str | None = None,
    stac_item_id: str | None = None,
    metadata: ObjectOption = None,
    created_from: InstantOption = None,
    created_before: InstantOption = None,
    updated_from: InstantOption = None,
    updated_before: InstantOption = None,
    sort: ArtifactSort = ArtifactSort.CREATED_DESCENDING,
    limit: LimitOption = None,
    everything: AllOption = False,
    output: OutputOption = Output.TABLE,
) -> None:
    """List artifacts, by what they are and when they came; references may be a part of theirs."""
    with connected(context) as client:
        given = references(ref, refs)
        asked = query(
            client_type=client_type,
            client_refs=as_text(given) if given else None,
            status=status,
            stage=stage,
            processing=processing,
            artifact_type=artifact_type,
            content_hash=content_hash,
            storage_account=storage_account,
            container=container,
            blob_path=blob_path,
            source_job_id=job_id,
            stac_collection_id=stac_collection_id,
            stac_item_id=stac_item_id,
            metadata=None if metadata is None else as_text(metadata),
            created_from=created_from,
            created_before=created_before,
            updated_from=updated_from,
            updated_before=updated_before,
            sort=sort,
        )
        pages = follow(client, ARTIFACTS, asked, "artifacts", wanted(limit, everything=everything))
        write_many(items(pages, "artifacts"), output, COLUMNS)


@reads.command()
def history(
    context: typer.Context,
    client_type: ClientTypeOption,
    ref: RefOption = None,
    refs: RefsOption = None,
    limit: LimitOption = None,
    everything: AllOption = False,
    output: OutputOption = Output.TABLE,
) -> None:
    """List the revisions of an asset, newest first."""
    with connected(context) as client:
        given = references(ref, refs)
        if not given:
            refuse("say which asset: --ref NAME=TEXT or --refs JSON")
        asked = {"client_type": client_type, "client_refs": as_text(given)}
        most = wanted(limit, everything=everything)
        pages = _tell_match(follow(client, [*ADMIN, "history"], asked, "history", most))
        write_many(items(pages, "history"), output, COLUMNS)


@reads.command()
def chain(
    context: typer.Context,
    artifact_id: IdArgument,
    direction: Annotated[
        Direction, typer.Option(help="What it replaced, what replaced it, or both.")
    ] = Direction.BOTH,
    output: OutputOption = Output.TABLE,
) -> None:
    """List what an artifact superseded and what superseded it."""
    with connected(context) as client:
        path = [*ADMIN, str(artifact_id), "chain"]
        pages = follow(client, path, {"direction": direction}, "chain", None)
        write_many(items(pages, "chain"), output, COLUMNS)


@reads.command()
def duplicates(
    context: typer.Context,
    content_hash: HashOption = None,
    client_type: AnyClientOption = None,
    across_clients: Annotated[
        bool, typer.Option("--across-clients", help="Only what several clients hold.")
    ] = False,
    limit: LimitOption = None,
    everything: AllOption = False,
    output: OutputOption = Output.TABLE,
) -> None:
    """List contents that are registered more than once, or with --hash all holders of one."""
    with connected(context) as client:
        if content_hash is not None and (client_type is not None or across_clients):
            refuse("--hash goes without --client-type and --across-clients")
        asked = query(
            content_hash=content_hash,
            client_type=client_type,
            across_clients="true" if across_clients else None,
        )
        member, columns = ("groups", _GROUPS) if content_hash is None else ("artifacts", COLUMNS)
        most = wanted(limit, everything=everything)
        pages = follow(client, [*ADMIN, "duplicates"], asked, member, most)
        write_many(items(pages, member), output, columns)


@reads.command()
def stats(
    context: typer.Context, client_type: AnyClientOption = None, output: OutputOption = Output.TABLE
) -> None:
    """Show how much is registered, by status."""
    with connected(context) as client:
        asked = query(client_type=client_type)
        answer = client.ask("GET", [*ADMIN, "stats"], parameters=asked).body
        if output is Output.TABLE:
            write_many(_figures(answer), output, _FIGURES)
        else:
            write_one(answer, output)


def _figures(answer: JsonObject) -> Iterator[JsonObject]:
    told = answer.get("stats")
    by_status = told.get("statuses") if isinstance(told, dict) else None
    if not isinstance(told, dict) or not isinstance(by_status, dict):
        raise NoRegistry("the answer holds no figures")
    for status, figures in by_status.items():
        yield {"status": status, **(figures if isinstance(figures, dict) else {})}
    yield {"status": "all", **told}


def _tell_match(pages: Iterable[JsonObject]) -> Iterator[JsonObject]:
    for place, page in enumerate(pages):
        if place == 0 and page.get("match") == "containment":
            assets = page.get("matched_assets")
            say(f"the references are part of those of {assets} asset(s): this is the oldest")
        yield page
