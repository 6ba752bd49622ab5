"""`registry`: what an operator runs at a terminal or at deployment.

Exit codes: 0 done; 1 refused or failed; 2 wrong use, or settings missing or invalid; 3 not found;
4 not allowed; 5 conflict; 6 not available at the moment. Results go to stdout, everything else to
stderr.
"""

import logging
from typing import Annotated

import typer

from cli.artifacts import artifacts
from cli.audit import audit
from cli.backfill import backfill
from cli.connection import ConnectionOptions
from cli.failures import ingest
from cli.faults import say
from cli.holds import holds
from cli.keys import keys
from cli.policies import policies
from cli.profile_commands import profile
from cli.reconcile import reconcile
from cli.rules import rules
from cli.starting import EXIT_CODES, start
from cli.stats import stats
from cli.verifying import integrity, verify

app = typer.Typer(
    epilog=EXIT_CODES,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)
app.add_typer(artifacts, name="artifacts")
app.add_typer(audit, name="audit")
app.command()(backfill)
app.command()(reconcile)
app.command()(verify)
app.command()(integrity)
app.command()(stats)
app.add_typer(holds, name="holds")
app.add_typer(ingest, name="ingest")
app.add_typer(keys, name="keys")
app.add_typer(policies, name="policies")
app.add_typer(profile, name="profile")
app.add_typer(rules, name="rules")


@app.callback()
def prepare(
    context: typer.Context,
    url: Annotated[
        str | None, typer.Option(envvar="REGISTRY_API_URL", help="The registry's address.")
    ] = None,
    profile_name: Annotated[
        str | None,
        typer.Option("--profile", envvar="REGISTRY_PROFILE", help="A profile of the profile file."),
    ] = None,
    insecure: Annotated[
        bool, typer.Option("--insecure", help="Send the key over http:// in clear text.")
    ] = False,
) -> None:
    """Operate the artifact registry.

    Keys are never given on the command line, where others see them: REGISTRY_API_KEY,
    REGISTRY_TOKEN, or a profile.
    """
    logging.disable(logging.WARNING)  # the pool's attempts would drown our one line
    context.obj = ConnectionOptions(url=url, profile=profile_name, insecure=insecure)


@app.command()
def migrate() -> None:
    """Bring the database of REGISTRY_DATABASE_URL up to date; says on stderr what it applied."""
    from cli.database import apply_migrations  # noqa: PLC0415 - slow, and few commands need it

    for name in apply_migrations():
        say(f"applied {name}")
    say("the database is up to date")


def main() -> None:
    """The command `registry`."""
    start(app, "registry")


if __name__ == "__main__":
    main()
