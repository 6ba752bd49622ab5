"""Asking at the terminal: before what cannot be undone is done, and for what it must not show."""

import sys

import typer
from rich.console import Console
from rich.prompt import Confirm

from cli.connection import checked_key


def confirmed(deed: str) -> bool:
    """Whether the operator says yes; an empty line says no."""
    # Typer's own question leaves a space on stdout, where only results belong.
    return Confirm.ask(deed, console=Console(stderr=True), default=False)


def asked_secret(name: str) -> str:
    """A line of stdin, which a terminal does not show while it is typed."""
    if sys.stdin.isatty():
        return str(typer.prompt(name, default="", hide_input=True, show_default=False, err=True))
    return sys.stdin.readline().removesuffix("\n")


def asked_key() -> str:
    """A key, empty where none is given. Raises Misuse for what cannot be one."""
    return checked_key(asked_secret("API key").strip())
