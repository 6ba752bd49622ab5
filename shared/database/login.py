"""How a database is opened by an identity, in place of a password in its URL."""

from collections.abc import Callable
from typing import Any

import certifi
from psycopg.conninfo import conninfo_to_dict

from shared.models.blob_urls import is_loopback

Password = Callable[[], str]
"""Asked anew for each connection: a token is good for an hour, and a connection for longer."""


def login(url: str, password: Password | None) -> dict[str, Any]:
    """What goes into a connection beside its URL; nothing where the URL says it all.

    A token is what it is to whoever gets to see it, so the server proves its name first, unless
    it is on this machine. The driver brings no list of authorities: those of HTTPS are taken
    unless the URL says others. Raises what `password` raises.
    """
    if password is None:
        return {}
    given = conninfo_to_dict(url)
    hosts = [
        host for name in ("host", "hostaddr") for host in str(given.get(name) or "").split(",")
    ]
    if all(is_loopback(host) for host in filter(None, hosts)) and any(hosts):
        return {"password": password()}
    authorities = str(given.get("sslrootcert") or certifi.where())
    return {"password": password(), "sslmode": "verify-full", "sslrootcert": authorities}
