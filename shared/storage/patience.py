"""How long the Azure SDK's clients wait, how often they try again, and that they follow nobody."""

from typing import TypedDict


class _ClientOptions(TypedDict):
    connection_timeout: float
    read_timeout: float
    retry_total: int
    initial_backoff: int
    increment_base: int
    random_jitter_range: int
    permit_redirects: bool


class _CheckOptions(TypedDict):
    connection_timeout: float
    read_timeout: float
    retry_total: int


CLIENT_OPTIONS = _ClientOptions(
    connection_timeout=5,
    read_timeout=15,
    retry_total=2,
    initial_backoff=0,
    increment_base=2,
    random_jitter_range=1,
    permit_redirects=False,
)
"""Seconds. Waits of about 2 and 4 between three tries, where the SDK's own would start at 18:
a function ends in tens of seconds when storage is down, and its queue tries again. A redirect is
an answer like any other that is not the one wanted: where it leads to, nobody listed, and a
request with a shared access signature would take it along."""

CHECK_OPTIONS = _CheckOptions(connection_timeout=2, read_timeout=2, retry_total=0)
"""Seconds. For one request whose answer is wanted soon, good or bad."""
