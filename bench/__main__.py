"""`python -m bench`: measure against the limits of this machine, in one run."""

import os
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from enum import StrEnum
from typing import Annotated

import typer
from rich.console import Console

from bench import (
    backfill,
    batch,
    builds,
    chain,
    figures,
    hashing,
    http_api,
    imports,
    ingestion,
    large_uploads,
    peers,
    policies,
    registration,
    uploads,
)
from bench.report import RESULTS, Figures, keep, ratio_figures, show


class Bench(StrEnum):
    """The parts, in the order in which they run."""

    REGISTRATION = "registration"
    HASHING = "hashing"
    IMPORTS = "imports"
    UPLOADS = "uploads"
    INGESTION = "ingestion"
    LARGE = "large"
    BACKFILL = "backfill"
    HTTP = "http"
    BATCH = "batch"
    CHAIN = "chain"
    POLICIES = "policies"
    BUILDS = "builds"
    FIGURES = "figures"
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
    told: list[Figures] = []
    try:
        for bench in only or list(Bench):
            with console.status(f"Measuring {bench} …"):
                measured = _PARTS[bench](quick)
            for part in measured:
                show(console, part)
            told += measured
    finally:  # what was measured stands, even where a later part fails
        if told and not quick:
            keep(told, load, datetime.now(UTC))
            console.print(f"Kept in bench/{RESULTS.name}.")


def _registration(quick: bool) -> list[Figures]:
    effort = registration.QUICK if quick else registration.FULL
    return [ratio_figures("Registration", registration.run(effort))]


def _hashing(quick: bool) -> list[Figures]:
    del quick  # the size is what is measured
    return [ratio_figures("Hashing 1 GiB", hashing.run())]


def _imports(quick: bool) -> list[Figures]:
    rounds = imports.QUICK_ROUNDS if quick else imports.FULL_ROUNDS
    return [ratio_figures("Import of function_app", imports.run(rounds))]


def _uploads(quick: bool) -> list[Figures]:
    return uploads.run(uploads.QUICK if quick else uploads.FULL)


def _ingestion(quick: bool) -> list[Figures]:
    effort = ingestion.QUICK if quick else ingestion.FULL
    return [ratio_figures("Emptying a full queue", ingestion.run(effort))]


def _large(quick: bool) -> list[Figures]:
    del quick  # likewise
    return large_uploads.run()


def _backfill(quick: bool) -> list[Figures]:
    effort = backfill.QUICK if quick else backfill.FULL
    return [ratio_figures("Backfill from an inventory, unhashed", backfill.run(effort))]


def _http(quick: bool) -> list[Figures]:
    return http_api.run(http_api.QUICK if quick else http_api.FULL)


def _batch(quick: bool) -> list[Figures]:
    effort = batch.QUICK if quick else batch.FULL
    return [ratio_figures("Registration in batches", batch.run(effort))]


def _chain(quick: bool) -> list[Figures]:
    effort = chain.QUICK if quick else chain.FULL
    return [ratio_figures("Supersession chains", chain.run(effort))]


def _policies(quick: bool) -> list[Figures]:
    effort = policies.QUICK if quick else policies.FULL
    return [ratio_figures("Policies", policies.run(effort))]


def _builds(quick: bool) -> list[Figures]:
    effort = builds.QUICK if quick else builds.FULL
    return [ratio_figures("Builds over HTTP", builds.run(effort))]


def _figures(quick: bool) -> list[Figures]:
    effort = figures.QUICK if quick else figures.FULL
    return [ratio_figures("Statistics", figures.run(effort))]


def _peers(quick: bool) -> list[Figures]:
    return peers.run(peers.QUICK if quick else peers.FULL)


_PARTS: Mapping[Bench, Callable[[bool], list[Figures]]] = {
    Bench.REGISTRATION: _registration,
    Bench.HASHING: _hashing,
    Bench.IMPORTS: _imports,
    Bench.UPLOADS: _uploads,
    Bench.INGESTION: _ingestion,
    Bench.LARGE: _large,
    Bench.BACKFILL: _backfill,
    Bench.HTTP: _http,
    Bench.BATCH: _batch,
    Bench.CHAIN: _chain,
    Bench.POLICIES: _policies,
    Bench.BUILDS: _builds,
    Bench.FIGURES: _figures,
    Bench.PEERS: _peers,
}


if __name__ == "__main__":
    typer.run(main)
