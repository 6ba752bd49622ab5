"""Addresses of a storage account's services, where an identity asks rather than a key."""

import re
from dataclasses import dataclass
from typing import Literal
from urllib.parse import SplitResult, urlsplit

from shared.models.blob_urls import AZURES_DOMAINS

Service = Literal["blob", "queue", "table"]

_AZURES_HOST = re.compile(rf"([a-z0-9]{{3,24}})\.(blob|queue|table)\.core\.(?:{AZURES_DOMAINS})")
_EMULATORS_PATH = re.compile(r"/([a-z0-9]{3,24})/?")
_EMULATORS_HOSTS = {"127.0.0.1", "localhost"}


@dataclass(frozen=True)
class ServiceUri:
    """The account is the one that the address names, for nobody asks the service for its name."""

    account: str
    uri: str
    """Without a slash at its end, or anything that were a credential."""


def read_service_uri(text: str, service: Service) -> ServiceUri:
    """Raises ValueError, which never repeats the text, for what a token must not be sent to.

    One token opens all accounts that its owner may use, so it goes to Azure's own hosts alone, or
    to this machine, and over https. A custom domain would not tell the account's name either.
    """
    parts = _split(text)
    host = parts.hostname or ""
    is_plain = parts.scheme == "https" and not (parts.query or parts.fragment or parts.username)
    azures = _AZURES_HOST.fullmatch(host)
    if is_plain and azures and azures[2] == service and parts.path in {"", "/"} and not parts.port:
        return ServiceUri(azures[1], f"https://{host}")
    emulated = _EMULATORS_PATH.fullmatch(parts.path)
    if is_plain and host in _EMULATORS_HOSTS and emulated:
        return ServiceUri(emulated[1], f"https://{parts.netloc}/{emulated[1]}")
    raise ValueError(f"no https://ACCOUNT.{service}.core.windows.net, or another cloud's of Azure")


def _split(text: str) -> SplitResult:
    try:
        parts = urlsplit(text)
        _ = parts.port
    except ValueError:
        return urlsplit("")
    return parts
