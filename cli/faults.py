"""How a command ends that cannot do what it was asked: one line on stderr, and an exit code."""

from collections.abc import Generator
from contextlib import contextmanager
from typing import NoReturn

import psycopg
import typer
from pydantic import ValidationError

from shared import errors

FAILED = 1
MISUSED = 2
NOT_FOUND = 3
NOT_ALLOWED = 4
CONFLICT = 5
UNAVAILABLE = 6


def say(message: str) -> None:
    """Tell the operator something that is no result."""
    typer.echo(message, err=True)


def fail(code: int, message: str) -> NoReturn:
    """End the command."""
    say(f"error: {message}")
    raise typer.Exit(code)


@contextmanager
def told_clearly() -> Generator[None]:
    """One line for what an operator can mend; anything else is a fault of ours."""
    try:
        yield
    except ValidationError as error:
        fail(MISUSED, f"settings missing or invalid: {_settings_in(error)}")
    except errors.RegistryError as error:
        fail(_code_of(error), error.summary)
    except (psycopg.errors.UndefinedTable, psycopg.errors.UndefinedColumn):
        fail(FAILED, "the database is not up to date: run 'migrate' first")
    except psycopg.Error as error:
        code = UNAVAILABLE if isinstance(error, psycopg.OperationalError) else FAILED
        fail(code, f"the database failed: {str(error).strip().partition(chr(10))[0]}")


def _code_of(error: errors.RegistryError) -> int:
    match error:
        case errors.KeyNotFound():
            return NOT_FOUND
        case errors.KeyEnded():
            return CONFLICT
        case errors.Retryable():
            return UNAVAILABLE
        case _:
            return FAILED


def _settings_in(error: ValidationError) -> str:
    return ", ".join(f"REGISTRY_{'_'.join(map(str, at['loc'])).upper()}" for at in error.errors())
