"""Addresses of a storage account's services, where an identity asks rather than a key."""

import re
from typing import Literal
from urllib.parse import SplitResult, urlsplit

from shared.models.blob_urls import AZURES_DOMAINS

Service = Literal["blob", "queue", "table"]

_AZURES_HOST = re.compile(rf"([a-z0-9]{{3,24}})\.(blob|queue|table)\.core\.(?:{AZURES_DOMAINS})")
_EMULATORS_PATH = re.compile(r"/([a-z0-9]{3,24})/?")
_EMULATORS_HOSTS = {"127.0.0.1", "localhost"}


def is_address(text: str) -> bool:
    """Whether that is meant for an address; connection strings are words, `=` and what they say."""
    return "://" in text.partition("=")[0]


def read_service_uri(text: str, service: Service) -> str:
    """The same address without a slash at its end.

    Raises ValueError, which never repeats the text, for what a token must not be sent to. One
    token opens all accounts that its owner may use, so it goes to Azure's own hosts alone, or to
    this machine, and over https. From a custom domain the account's name could not be told either.
    """
    parts = _split(text)
    host = parts.hostname or ""
    is_plain = parts.scheme == "https" and not (set("?#@") & set(text))
    azures = _AZURES_HOST.fullmatch(host)
    is_service = azures is not None and azures[2] == service and parts.port is None
    if is_plain and is_service and parts.path in {"", "/"}:
        return f"https://{host}"
    emulated = _EMULATORS_PATH.fullmatch(parts.path)
    if is_plain and host in _EMULATORS_HOSTS and emulated:
        return f"https://{parts.netloc}/{emulated[1]}"
    raise ValueError(f"no https://ACCOUNT.{service}.core.windows.net, or another cloud's of Azure")


def _split(text: str) -> SplitResult:
    try:
        parts = urlsplit(text)
        _ = parts.port
    except ValueError:
        return urlsplit("")
    return parts
