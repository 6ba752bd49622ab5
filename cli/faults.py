"""How a command ends that cannot do what it was asked: one line on stderr, and an exit code."""

from collections.abc import Generator
from contextlib import contextmanager
from typing import NoReturn

import typer

from cli.exchange import NoRegistry, Refused, Unreachable
from cli.misuse import Misuse
from cli.printable import printable_lines
from shared import errors

FAILED = 1
MISUSED = 2
NOT_FOUND = 3
NOT_ALLOWED = 4
CONFLICT = 5
UNAVAILABLE = 6


def say(message: str) -> None:
    """Tell the operator something that is no result."""
    typer.echo(printable_lines(message), err=True)


def fail(code: int, message: str) -> NoReturn:
    """End the command."""
    say(f"error: {message}")
    raise typer.Exit(code)


@contextmanager
def told_clearly() -> Generator[None]:
    """One line for what an operator can mend; anything else is a fault of ours."""
    try:
        yield
    except Misuse as error:
        fail(MISUSED, str(error))
    except Refused as refused:
        fail(_code_of_status(refused), refused.line)
    except Unreachable as error:
        fail(UNAVAILABLE, str(error))
    except NoRegistry as error:
        fail(FAILED, str(error))
    except errors.RegistryError as error:
        fail(code_of(error), error.summary)


def code_of(error: errors.RegistryError) -> int:
    """How a command ends that met the error itself, not an answer about it."""
    match error:
        case errors.KeyNotFound() | errors.BlobNotFound():
            return NOT_FOUND
        case errors.KeyEnded():
            return CONFLICT
        case errors.Retryable():
            return UNAVAILABLE
        case _:
            return FAILED


def _code_of_status(refused: Refused) -> int:
    match refused.status:
        case 401 | 403:
            return NOT_ALLOWED
        case 404:
            return NOT_FOUND
        case 409 | 412:
            return CONFLICT
        case 429 | 502 | 503 | 504:
            return UNAVAILABLE
        case _:
            return FAILED
