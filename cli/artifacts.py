"""`registry artifacts`: every command that talks to the HTTP API about artifacts."""

import typer

from cli.artifact_changes import changes
from cli.artifact_reads import reads
from cli.registering import registering

artifacts = typer.Typer(help="Artifacts, over the HTTP API.", no_args_is_help=True)
artifacts.add_typer(reads)
artifacts.add_typer(registering)
artifacts.add_typer(changes)
