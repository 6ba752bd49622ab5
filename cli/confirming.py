"""Asking at the terminal before something is done that cannot be undone."""

from rich.console import Console
from rich.prompt import Confirm


def confirmed(deed: str) -> bool:
    """Whether the operator says yes; an empty line says no."""
    # Typer's own question leaves a space on stdout, where only results belong.
    return Confirm.ask(deed, console=Console(stderr=True), default=False)
