"""What every connection to a database is opened with."""

from typing import Any

from psycopg.rows import dict_row

from shared.database.login import Password, login

CONNECTION_OPTIONS: dict[str, Any] = {
    "autocommit": True,
    # Behind PgBouncer a prepared statement may not be there on the next call.
    "prepare_threshold": None,
    "row_factory": dict_row,
    # A server that vanished without a word is noticed in seconds, not in hours.
    "keepalives_idle": 30,
    "tcp_user_timeout": 15_000,
    "application_name": "artifact-registry",
}
"""Of every connection to a database, the registry's own or another's."""


def connection_options(
    url: str, timeout_seconds: float, password: Password | None
) -> dict[str, Any]:
    """Of the next connection to the registry's own; raises what `password` raises."""
    timeout = {"connect_timeout": max(2, int(timeout_seconds))}
    return CONNECTION_OPTIONS | timeout | login(url, password)
