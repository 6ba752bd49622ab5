"""What every command that talks to a registry does first."""

from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import typer

from cli.connection import Connection, ConnectionOptions, resolve_connection
from cli.faults import told_clearly

if TYPE_CHECKING:
    from cli.client import RegistryClient

ARTIFACTS = ("api", "v1", "artifacts")
ADMIN = ("api", "admin", "artifacts")
AUDIT = ("api", "admin", "audit")
RULES = ("api", "admin", "rules")
FAILURES = ("api", "admin", "ingest", "failures")
HOLDS = ("api", "admin", "holds")
INTEGRITY = ("api", "admin", "integrity")
POLICIES = ("api", "admin", "policies")
POLICY_RUNS = ("api", "admin", "policy-runs")
STATISTICS = ("api", "admin", "statistics")


@contextmanager
def connected(context: typer.Context) -> Generator["RegistryClient"]:
    """A client of the registry that the command line names; ends the command where it fails."""
    options = context.find_object(ConnectionOptions) or ConnectionOptions()
    with asking(lambda: resolve_connection(options)) as client:
        yield client


@contextmanager
def asking(resolve: Callable[[], Connection]) -> Generator["RegistryClient"]:
    """Likewise, whoever says which registry it is."""
    from cli.client import RegistryClient  # noqa: PLC0415 - slow: who asks for help pays nothing

    with told_clearly(), RegistryClient(resolve()) as client:
        yield client
