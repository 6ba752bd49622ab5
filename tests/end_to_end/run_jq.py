"""`jq [-r] FILTER` on what stdin holds: jq itself, by way of its package for Python."""

import json
import sys
from collections.abc import Iterator
from importlib import import_module
from typing import Any

jq: Any = import_module("jq")  # it says nothing of its types


def lines(filter_text: str, text: str, *, is_raw: bool) -> Iterator[str]:
    """Each result on a line of its own; raw, texts stand without quotes."""
    for found in jq.compile(filter_text).input_text(text):
        is_plain = is_raw and isinstance(found, str)
        yield f"{found if is_plain else json.dumps(found)}\n"


if __name__ == "__main__":
    is_raw = "-r" in sys.argv[1:-1]
    sys.stdout.writelines(lines(sys.argv[-1], sys.stdin.read(), is_raw=is_raw))
