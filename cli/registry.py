"""`registry`: what an operator runs at a terminal or at deployment.

Exit codes: 0 done; 1 it could not be done; 2 wrong use, or settings missing or invalid. Results go
to stdout, everything else to stderr.
"""

import logging
from collections.abc import Generator
from contextlib import contextmanager
from datetime import datetime
from typing import Annotated, NoReturn
from urllib.parse import urlsplit

import psycopg
import typer
from pydantic import ValidationError

from shared import bootstrap
from shared.database.migrate import migrate as apply_migrations
from shared.errors import RegistryError
from shared.models.api_keys import Scope

_FAILED = 1
_MISUSED = 2

app = typer.Typer(
    epilog="Exit codes: 0 done, 1 could not be done, 2 wrong use or settings.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
keys = typer.Typer(help="API keys.", no_args_is_help=True)
app.add_typer(keys, name="keys")


def _scopes(text: str) -> frozenset[Scope]:
    names = [name.strip() for name in text.split(",") if name.strip()]
    known = ", ".join(Scope)
    if not names:
        raise typer.BadParameter(f"name at least one of {known}")
    try:
        return frozenset(map(Scope, names))
    except ValueError:
        raise typer.BadParameter(f"scopes are {known}, separated by commas") from None


def _instant(text: str) -> datetime:
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        raise typer.BadParameter("write it like 2030-01-31T12:00:00Z") from None


@app.callback()
def prepare() -> None:
    """Operate the artifact registry."""
    logging.disable(logging.WARNING)  # the pool's attempts would drown our one line


@app.command()
def migrate() -> None:
    """Bring the database of REGISTRY_DATABASE_URL up to date; says on stderr what it applied."""
    with _clear_errors():
        applied = apply_migrations(_database_url())
    for name in applied:
        _say(f"applied {name}")
    _say("the database is up to date")


@keys.command()
def create(
    name: Annotated[str, typer.Option(help="Who or what the key is for.")],
    scopes: Annotated[frozenset[Scope], typer.Option(parser=_scopes, metavar="read,write,admin")],
    expires_at: Annotated[
        datetime | None, typer.Option(parser=_instant, metavar="ISO-8601", help="With time zone.")
    ] = None,
) -> None:
    """Make an API key and print it, the only time that it can be seen."""
    with _clear_errors():
        made = bootstrap.keys().create(name, scopes, expires_at)
    _say(f"created key {made.key_id} with scopes {', '.join(sorted(scopes))}")
    typer.echo(made.text)


def _database_url() -> str:
    url = bootstrap.database_settings().database_url.get_secret_value()
    try:
        _ = urlsplit(url).port
    except ValueError:
        _fail(_MISUSED, "REGISTRY_DATABASE_URL is not a URL")
    return url


@contextmanager
def _clear_errors() -> Generator[None]:
    """One line on stderr for what an operator can mend; anything else is a fault of ours."""
    try:
        yield
    except ValidationError as error:
        _fail(_MISUSED, f"settings missing or invalid: {_settings_in(error)}")
    except RegistryError as error:
        _fail(_FAILED, error.summary)
    except psycopg.errors.UndefinedTable:
        _fail(_FAILED, "the database has no such table yet: run 'migrate' first")
    except psycopg.Error as error:
        _fail(_FAILED, f"the database failed: {str(error).strip().partition(chr(10))[0]}")


def _settings_in(error: ValidationError) -> str:
    return ", ".join(f"REGISTRY_{'_'.join(map(str, at['loc'])).upper()}" for at in error.errors())


def _fail(code: int, message: str) -> NoReturn:
    _say(f"error: {message}")
    raise typer.Exit(code)


def _say(message: str) -> None:
    typer.echo(message, err=True)


if __name__ == "__main__":
    app(prog_name="registry")
