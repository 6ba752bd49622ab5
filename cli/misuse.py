"""What a user can mend by asking otherwise."""

from typing import NoReturn


class Misuse(Exception):
    """A command cannot be carried out as it was given."""


def refuse(message: str) -> NoReturn:
    """Raises Misuse."""
    raise Misuse(message)
