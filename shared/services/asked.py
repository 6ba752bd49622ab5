"""What readers ask with: checked before the database sees it."""

from collections.abc import Sequence
from typing import TypeVar

from pydantic import TypeAdapter, ValidationError

from shared.errors import InvalidInput
from shared.models.chains import MAXIMUM_PAGE
from shared.models.text import keepable

Kind = TypeVar("Kind")
Item = TypeVar("Item")
Place = TypeVar("Place")


def as_kept(name: str, text: str) -> str:
    """A text as registering would have kept it; InvalidInput where it could not be kept."""
    try:
        return keepable(text)
    except ValueError as error:
        raise InvalidInput(f"{name}: {error}", f"/{name}") from None


def as_valid(kind: TypeAdapter[Kind], name: str, value: Kind) -> Kind:
    """A value as its type keeps it; InvalidInput where it is none."""
    try:
        return kind.validate_python(value)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        raise InvalidInput(f"{name}: {first['msg']}", f"/{name}") from None


def require_page(limit: int) -> None:
    """Raise InvalidInput unless a page may have this size."""
    if not 1 <= limit <= MAXIMUM_PAGE:
        raise InvalidInput(f"A page holds 1 to {MAXIMUM_PAGE}.", "/limit")


def cut_page(
    rows: Sequence[tuple[Place, Item | None]], limit: int
) -> tuple[list[Item], Place | None]:
    """The items of a page of which one more was asked for, and the place where the next one begins.

    A row without an item stands behind the others where more may follow although they are fewer.
    """
    shown = rows[:limit]
    is_cut = len(rows) > limit or (bool(rows) and rows[-1][1] is None)
    return [item for _, item in shown if item is not None], shown[-1][0] if is_cut else None
