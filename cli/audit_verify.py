"""`registry audit verify`: proves the audit trail, on database and storage themselves."""

from collections.abc import Callable, Generator
from contextlib import contextmanager
from datetime import date
from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from cli.backfill import progress_bar
from cli.faults import FAILED, MISUSED, fail
from cli.output import Output, write_many, write_one
from shared.models.audit_proof import ProofProgress
from shared.models.audit_retention import ExportProof


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise typer.BadParameter("write it like 2030-01-31") from None


_DayOption = Annotated[date | None, typer.Option(parser=_day, metavar="DATE")]


_PORTION = 2**20


def verify(
    start: _DayOption = None,
    end: _DayOption = None,
    export: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Instead, a month that was exported before it went."),
    ] = None,
    exports: Annotated[
        bool, typer.Option("--exports", help="Instead, all such months, from where they are kept.")
    ] = False,
    output: Annotated[
        Output, typer.Option("--output", "-o", help="How to write it.")
    ] = Output.TABLE,
) -> None:
    """Prove the audit trail whole, from one day (UTC) to another, or all of it.

    Compares the table, the database's digests and the signed seals; ends with 1 where they differ,
    and names the first bad event.
    """
    if sum((bool(start or end), export is not None, exports)) > 1:
        fail(MISUSED, "give days, --export or --exports")
    if export is not None:
        _prove(export, output)
    elif exports:
        _prove_all(output)
    else:
        _verify(start, end, output)


def _verify(start: date | None, end: date | None, output: Output) -> None:
    from cli.database import audit_verifier  # noqa: PLC0415 - slow: who asks for help pays nothing

    if start and end and end < start:
        fail(MISUSED, "--end is before --start")
    with audit_verifier() as verifier, _telling() as progress:
        proof = verifier.verify(start, end, progress)
    write_one(proof.model_dump(mode="json"), output)
    if proof.first_bad is not None:
        number = proof.first_bad.number
        event = "an entity" if number is None else f"event {number}"
        fail(FAILED, f"{event}: {proof.first_bad.told} ({proof.first_bad.reason})")


def _prove(file: Path, output: Output) -> None:
    from cli.database import exported_months  # noqa: PLC0415 - likewise

    try:
        with exported_months() as months, file.open("rb") as opened:
            proof = months.prove(iter(partial(opened.read, _PORTION), b""))
    except OSError as error:
        fail(MISUSED, f"{file} cannot be read: {error.strerror}")
    write_one(proof.model_dump(mode="json"), output)


def _prove_all(output: Output) -> None:
    from cli.database import exported_months  # noqa: PLC0415 - likewise

    with exported_months() as months:
        proofs = (proof.model_dump(mode="json") for proof in months.prove_all())
        write_many(proofs, output, list(ExportProof.model_fields))


@contextmanager
def _telling() -> Generator[Callable[[ProofProgress], None]]:
    with progress_bar() as bar:
        task = bar.add_task("", total=None, done="")

        def tell(so_far: ProofProgress) -> None:
            done = f"{so_far.day}: {so_far.events:,} of {so_far.of_events:,} events"
            bar.update(task, total=so_far.of_events, completed=so_far.events, done=done)

        yield tell
