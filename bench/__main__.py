"""`python -m bench`: measure against the limits of this machine, in one run."""

import os
from datetime import UTC, datetime
from enum import StrEnum
from typing import Annotated, Literal, assert_never

import typer
from rich.console import Console

from bench import batch, chain, hashing, http_api, imports, peers, registration, uploads
from bench.report import RESULTS, Figures, keep, ratio_figures, show


class Bench(StrEnum):
    """The parts, in the order in which they run."""

    REGISTRATION = "registration"
    HASHING = "hashing"
    IMPORTS = "imports"
    UPLOADS = "uploads"
    HTTP = "http"
    BATCH = "batch"
    CHAIN = "chain"
    PEERS = "peers"


def main(
    only: Annotated[
        list[Bench] | None, typer.Option(help="Run this part alone; repeatable.")
    ] = None,
    quick: Annotated[
        bool, typer.Option(help="See whether it runs: too few rounds to mean anything, not kept.")
    ] = False,
) -> None:
    """Print ratios of what was measured in this run, and keep them in bench/RESULTS.md."""
    console = Console()
    load = os.getloadavg()[0]
    figures: list[Figures] = []
    try:
        for bench in only or list(Bench):
            with console.status(f"Measuring {bench} …"):
                measured = _run(bench, quick)
            for part in measured:
                show(console, part)
            figures += measured
    finally:  # what was measured stands, even where a later part fails
        if figures and not quick:
            keep(figures, load, datetime.now(UTC))
            console.print(f"Kept in bench/{RESULTS.name}.")


def _run(bench: Bench, quick: bool) -> list[Figures]:
    match bench:
        case Bench.REGISTRATION:
            effort = registration.QUICK if quick else registration.FULL
            return [ratio_figures("Registration", registration.run(effort))]
        case Bench.HASHING:
            return [ratio_figures("Hashing 1 GiB", hashing.run())]
        case Bench.IMPORTS:
            rounds = imports.QUICK_ROUNDS if quick else imports.FULL_ROUNDS
            return [ratio_figures("Import of function_app", imports.run(rounds))]
        case Bench.UPLOADS:
            return uploads.run(uploads.QUICK if quick else uploads.FULL)
        case Bench.HTTP | Bench.BATCH | Bench.CHAIN | Bench.PEERS:
            return _run_on_many(bench, quick)
        case _:
            assert_never(bench)


def _run_on_many(
    bench: Literal[Bench.HTTP, Bench.BATCH, Bench.CHAIN, Bench.PEERS], quick: bool
) -> list[Figures]:
    match bench:
        case Bench.HTTP:
            return http_api.run(http_api.QUICK if quick else http_api.FULL)
        case Bench.BATCH:
            effort = batch.QUICK if quick else batch.FULL
            return [ratio_figures("Registration in batches", batch.run(effort))]
        case Bench.CHAIN:
            effort = chain.QUICK if quick else chain.FULL
            return [ratio_figures("Supersession chains", chain.run(effort))]
        case Bench.PEERS:
            return peers.run(peers.QUICK if quick else peers.FULL)
        case _:
            assert_never(bench)


if __name__ == "__main__":
    typer.run(main)
