"""`registry`: what an operator runs at a terminal or at deployment.

Exit codes: 0 done; 1 it could not be done; 2 wrong use, or settings missing or invalid; 3 not
found; 5 conflict; 6 not available at the moment. Results go to stdout, everything else to stderr.
"""

import logging
from urllib.parse import urlsplit

import typer

from cli.faults import MISUSED, fail, say, told_clearly
from cli.keys import keys
from shared import bootstrap
from shared.database.migrate import migrate as apply_migrations

app = typer.Typer(
    epilog="Exit codes: 0 done, 1 could not be done, 2 wrong use or settings, 3 not found,"
    " 5 conflict, 6 not available.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.add_typer(keys, name="keys")


@app.callback()
def prepare() -> None:
    """Operate the artifact registry."""
    logging.disable(logging.WARNING)  # the pool's attempts would drown our one line


@app.command()
def migrate() -> None:
    """Bring the database of REGISTRY_DATABASE_URL up to date; says on stderr what it applied."""
    with told_clearly():
        applied = apply_migrations(_database_url())
    for name in applied:
        say(f"applied {name}")
    say("the database is up to date")


def _database_url() -> str:
    url = bootstrap.database_settings().database_url.get_secret_value()
    try:
        _ = urlsplit(url).port
    except ValueError:
        fail(MISUSED, "REGISTRY_DATABASE_URL is not a URL")
    return url


if __name__ == "__main__":
    app(prog_name="registry")
