"""JSON as I-JSON (RFC 7493) restricts it: one meaning for every document, or an error."""

import json
import math
from collections import Counter
from typing import Any

from pydantic import JsonValue

from shared.errors import InvalidInput
from shared.models.pointers import json_pointer


def parse_strict_json(document: str | bytes, pointer: str = "") -> JsonValue:
    """Read a JSON document, which is UTF-8; `pointer` says where it stood.

    Raises InvalidInput where it is not JSON, has a member twice, holds NaN, an infinity or what
    exceeds a double, a number of too many digits, or nests too deep to be read.
    """
    refusals = _Refusals()
    try:
        text = document if isinstance(document, str) else document.decode()
        read = json.loads(
            text,
            object_pairs_hook=refusals.unique,
            parse_constant=refusals.constant,
            parse_float=refusals.finite,
        )
    except json.JSONDecodeError as error:
        raise InvalidInput(f"Not JSON: {error.msg} at character {error.pos}.", pointer) from None
    except UnicodeDecodeError:
        raise InvalidInput("Not JSON: it is not UTF-8.", pointer) from None
    except RecursionError:
        raise InvalidInput("The JSON nests too deep.", pointer) from None
    except ValueError:
        raise InvalidInput("A number has too many digits.", pointer) from None
    if refusals.are_any:
        raise _first_refusal(read, pointer)
    return read


_Place = tuple["_Place | None", object]
"""A member or position, and the place that it is in: one long name above many values stays one."""


class _Refused:
    """Stands where something is that means nothing, or two things."""

    def __init__(self, why: str, *within: str) -> None:
        self.why = why
        self.within = within


class _Refusals:
    """Reads on past what is refused, so that it can be pointed at."""

    def __init__(self) -> None:
        self.are_any = False

    def unique(self, pairs: list[tuple[str, Any]]) -> Any:
        members = dict(pairs)
        if len(members) == len(pairs):
            return members
        times = Counter(name for name, _ in pairs)
        repeated = next(name for name in members if times[name] > 1)
        return self._refuse("A member is given more than once.", repeated)

    def constant(self, name: str) -> _Refused:
        return self._refuse(f"{name} is not a JSON number.")

    def finite(self, text: str) -> float | _Refused:
        number = float(text)
        return number if math.isfinite(number) else self._refuse("A number exceeds a double.")

    def _refuse(self, why: str, *within: str) -> _Refused:
        self.are_any = True
        return _Refused(why, *within)


def _first_refusal(read: Any, pointer: str) -> InvalidInput:
    pending: list[tuple[Any, _Place | None]] = [(read, None)]
    while pending:  # a loop: the document may nest as deep as Python's stack is
        value, at = pending.pop()
        match value:
            case _Refused():
                return InvalidInput(value.why, pointer + _pointer(at, *value.within))
            case {**members}:
                inner = [(each, (at, name)) for name, each in members.items()]
            case [*items]:
                inner = [(each, (at, place)) for place, each in enumerate(items)]
            case _:
                continue
        pending.extend(reversed(inner))
    return InvalidInput("A member is given more than once.", pointer)


def _pointer(at: _Place | None, *within: str) -> str:
    path: list[object] = []
    while at is not None:
        at, part = at
        path.append(part)
    return json_pointer(*reversed(path), *within)
