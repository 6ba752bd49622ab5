"""What is odd about one of many values alike, put into a value that is good otherwise."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any, cast


@dataclass(frozen=True)
class Usual:
    """What most of many values hold, and what most of their members and items do."""

    text: str
    members: "Mapping[str, Usual]"
    items: "Usual | None"


def usual(values: Sequence[Any]) -> Usual:
    objects: list[Mapping[str, Any]] = [each for each in values if isinstance(each, dict)]
    lists: list[list[Any]] = [each for each in values if isinstance(each, list)]
    items = [each[0] for each in lists if each]  # the longest lists hold a thousand alike
    names = Counter(chain.from_iterable(objects))
    members = {
        name: usual([each[name] for each in objects if name in each])
        for name, count in names.items()
        if 2 * count > len(objects)
    }
    [(text, _)] = Counter(map(repr, values)).most_common(1)
    return Usual(text, members, usual(items) if items else None)


def odd_in_good(good: Any, odd: Any, usually: Usual) -> Any:
    """The good value, changed where the odd one is not as usual."""
    if repr(odd) == usually.text:
        return good
    if isinstance(good, Mapping) and isinstance(odd, dict):
        members = cast("tuple[dict[str, Any], dict[str, Any]]", (good, odd))
        return _members(*members, usually.members)
    if isinstance(good, list) and good and isinstance(odd, list) and usually.items:
        first, *_ = cast("list[Any]", good)
        return [odd_in_good(first, each, usually.items) for each in cast("list[Any]", odd)]
    return cast("Any", odd)


def filled(good: Mapping[str, Any], plain: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """The good value with each member that it lacks and the plain one has, one at a time."""
    for name, value in plain.items():
        if good.get(name) is None and value is not None:
            yield {**good, name: value}


def _members(
    good: Mapping[str, Any], odd: Mapping[str, Any], usually: Mapping[str, Usual]
) -> dict[str, Any]:
    """Something left out is odd where nothing else is: otherwise what is good stays."""
    changed: dict[str, Any] = {}
    for name, value in odd.items():
        if name not in usually:
            changed[name] = value
        elif repr(value) != usually[name].text:
            changed[name] = odd_in_good(good[name], value, usually[name]) if name in good else value
    if changed:
        return {**good, **changed}
    return {name: value for name, value in good.items() if name in odd or name not in usually}
