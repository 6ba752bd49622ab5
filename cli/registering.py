"""`registry artifacts`: registering, and asking beforehand whether there is anything to do."""

import os
import sys
from collections.abc import Generator, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, BinaryIO
from uuid import uuid4

import typer
from rich.console import Console
from rich.progress import wrap_file

from cli.arguments import (
    ClientTypeOption,
    HashOption,
    IdempotencyKeyOption,
    ObjectOption,
    OutputOption,
    RefOption,
    RefsOption,
    references,
)
from cli.batches import Item, failure, portions, read_items, request_body
from cli.connecting import ARTIFACTS, connected
from cli.exchange import JsonObject, Refused, Unreachable, json_body, problem_line
from cli.faults import FAILED, say
from cli.misuse import refuse
from cli.output import Output, write_many, write_one
from cli.pages import objects
from cli.strict_input import parse_strict_json

if TYPE_CHECKING:
    from cli.client import RegistryClient

registering = typer.Typer()

SourceArgument = Annotated[str, typer.Argument(metavar="FILE", help="A file, or - for stdin.")]
_COLUMNS = ["position", "status", "artifact_id", "problem"]


@registering.command()
def register(
    context: typer.Context,
    source: SourceArgument,
    idempotency_key: IdempotencyKeyOption = None,
    output: OutputOption = Output.TABLE,
) -> None:
    """Register one artifact, a JSON object as the body of POST /api/v1/artifacts."""
    with connected(context) as client:
        with _opened(source) as file:
            body = _read_one(file)
        headers = {"Idempotency-Key": idempotency_key or str(uuid4())}
        answer = client.ask("POST", ARTIFACTS, body=body, headers=headers)
        say("created" if answer.status == 201 else "unchanged")
        write_one(answer.body, output)


@registering.command()
def batch(
    context: typer.Context,
    source: SourceArgument,
    atomic: Annotated[
        bool, typer.Option("--atomic", help="All or none; at most what one request holds.")
    ] = False,
    idempotency_key: IdempotencyKeyOption = None,
    output: OutputOption = Output.TABLE,
) -> None:
    """Register many artifacts: JSON Lines, or one JSON array."""
    counts = dict.fromkeys(["created", "unchanged", "failed"], 0)
    with connected(context) as client:
        key = idempotency_key or str(uuid4())
        with _opened(source) as file:
            portioned = _whole(_portions(file)) if atomic else _portions(file)
            results = _send(client, portioned, atomic=atomic, key=key)
            write_many(_count(results, counts, output), output, _COLUMNS)
        say(", ".join(f"{name} {count}" for name, count in counts.items()))
    if counts["failed"]:
        raise typer.Exit(FAILED)


@registering.command()
def decide(
    context: typer.Context,
    client_type: ClientTypeOption,
    ref: RefOption = None,
    refs: RefsOption = None,
    content_hash: HashOption = None,
    metadata: ObjectOption = None,
    output: OutputOption = Output.TABLE,
) -> None:
    """Ask how much work an output is: no_change, metadata_only or full_reprocess."""
    with connected(context) as client:
        given = references(ref, refs)
        if not given:
            refuse("say which asset: --ref NAME=TEXT or --refs JSON")
        body = json_body(
            {
                "client_type": client_type,
                "client_refs": given,
                "content_hash": content_hash,
                "metadata": metadata or {},
            }
        )
        write_one(client.ask("POST", [*ARTIFACTS, "overwrite-decision"], body=body).body, output)


@contextmanager
def _opened(source: str) -> Generator[BinaryIO]:
    if source == "-":
        yield sys.stdin.buffer
        return
    try:
        with Path(source).open("rb") as file, _with_progress(file) as watched:
            yield watched
    except OSError as error:
        if error.filename is None:
            raise
        refuse(f"{source} cannot be read: {error.strerror}")


def _with_progress(file: BinaryIO) -> AbstractContextManager[BinaryIO]:
    # Where results go to the terminal too, they are the progress.
    is_watched = sys.stderr.isatty() and not sys.stdout.isatty()
    return wrap_file(
        file,
        total=os.fstat(file.fileno()).st_size,
        description="Registering",
        console=Console(stderr=True),
        disable=not is_watched,
    )


def _read_one(file: BinaryIO) -> bytes:
    try:
        return json_body(parse_strict_json(file.read()))
    except ValueError as error:
        refuse(f"the input is no JSON: {error}")


def _portions(file: BinaryIO) -> Iterator[list[Item]]:
    try:
        yield from portions(read_items(file))
    except ValueError as error:
        refuse(f"the input is no JSON: {error}")


def _whole(portioned: Iterator[list[Item]]) -> Iterator[list[Item]]:
    """One request, looked at before anything is sent."""
    first = next(portioned, None)
    if first is None:
        return iter([])
    if next(portioned, None) is not None:
        refuse("--atomic takes what one request holds: 1,000 artifacts and less than 1 MiB")
    for item in first:
        if item.fault is not None:
            refuse(f"nothing was sent: item {item.position}: {item.fault}")
    return iter([first])


def _send(
    client: "RegistryClient", portioned: Iterator[list[Item]], *, atomic: bool, key: str
) -> Iterator[JsonObject]:
    for place, portion in enumerate(portioned):
        yield from (failure(item) for item in portion if item.fault is not None)
        sent = [item for item in portion if item.fault is None]
        if not sent:
            continue
        try:
            results = _send_portion(client, sent, atomic=atomic, key=f"{key}/{place}")
        except (Refused, Unreachable):
            say(f"stopped at item {portion[0].position}, what comes before is done: the same")
            say(f"again with --idempotency-key {key} registers nothing twice")
            raise
        for item, result in zip(sent, results, strict=True):
            yield {"position": item.position, **result}


def _send_portion(
    client: "RegistryClient", sent: list[Item], *, atomic: bool, key: str
) -> list[JsonObject]:
    body, headers = request_body(sent, atomic=atomic), {"Idempotency-Key": key}
    answer = client.ask("POST", [*ARTIFACTS, "batch"], body=body, headers=headers)
    return objects(answer.body.get("results"))


def _count(
    results: Iterator[JsonObject], counts: dict[str, int], output: Output
) -> Iterator[JsonObject]:
    for result in results:
        status = result.get("status")
        if isinstance(status, str) and status in counts:
            counts[status] += 1
        yield _short(result) if output is Output.TABLE else result


def _short(result: JsonObject) -> JsonObject:
    """What fits into a line."""
    artifact, problem = result.get("artifact"), result.get("problem")
    return {
        "position": result.get("position"),
        "status": result.get("status"),
        "artifact_id": artifact.get("artifact_id") if isinstance(artifact, dict) else None,
        "problem": problem_line(problem) if isinstance(problem, dict) else None,
    }
