"""Durations as they are written: ISO 8601, like `PT12H` or `P7D`."""

import re
from datetime import timedelta
from typing import Annotated

from pydantic import BeforeValidator

_FORM = re.compile(r"P[0-9DHMSTWY.]+", re.ASCII)


def _written(value: object) -> object:
    # A number would be taken for seconds, whatever it was meant to be.
    if not isinstance(value, str) or not _FORM.fullmatch(value):
        raise ValueError("write it as an ISO 8601 duration, like PT12H or P7D")
    return value


Duration = Annotated[timedelta, BeforeValidator(_written)]
"""Not negative; a month has 30 days, a year 365."""
