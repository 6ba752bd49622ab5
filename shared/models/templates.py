"""Templates of blob names, and of the values that are made from what they find.

There are no regular expressions of users here: a template says one thing only, and reading a name
by it never goes back.
"""

from collections.abc import Mapping
from typing import Self

BUILT_IN = ("account", "container", "path", "filename")
"""Names that every value template may use; a path template binds none of them."""

Values = Mapping[str, str | int]
"""What a path template found in a name."""


class PathTemplate:
    """A template of blob names, like `{dataset}/{version:int}/{kind:dem|ortho}/{*rest}.tif`."""

    text: str
    names: frozenset[str]

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read a template; raises InvalidInput where it is malformed or ambiguous."""
        raise NotImplementedError

    def match(self, path: str) -> dict[str, str | int] | None:
        """What stands for each name; None where the path is not of this form."""
        raise NotImplementedError


def names_in(text: str) -> frozenset[str]:
    """The names that a value template uses; raises InvalidInput where it is malformed."""
    raise NotImplementedError


def rendered(text: str, values: Values) -> str | int:
    """A value template with its values; one that is a single placeholder keeps a number's type."""
    raise NotImplementedError
