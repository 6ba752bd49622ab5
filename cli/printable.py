"""Text of strangers on a terminal: what would move its cursor or change its colours is escaped."""

import json


def printable(text: str) -> str:
    """On one line, with JSON escapes for every mark that a terminal does not simply show."""
    if text.isprintable():
        return text
    return "".join(mark if mark.isprintable() else _escape(mark) for mark in text)


def printable_lines(text: str) -> str:
    """Likewise, but line ends stay."""
    return "\n".join(map(printable, text.split("\n")))


def _escape(mark: str) -> str:
    return json.dumps(mark)[1:-1]
