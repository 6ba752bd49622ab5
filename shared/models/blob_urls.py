"""URLs of blobs: of Azure's accounts, and of emulators, which name the account in the path."""

import re
from dataclasses import dataclass
from ipaddress import ip_address
from urllib.parse import SplitResult, parse_qs, unquote, urlsplit

from shared.errors import InvalidInput
from shared.models.blobs import BlobReference

_LONGEST_VERSION = 64
AZURES_DOMAINS = r"windows\.net|chinacloudapi\.cn|usgovcloudapi\.net"
"""Of all of its clouds, as a pattern."""
_AZURES_HOST = re.compile(rf"([a-z0-9]{{3,24}})\.blob\.core\.(?:{AZURES_DOMAINS})")
"""Accounts with private endpoints are called by the same names."""


@dataclass(frozen=True)
class BlobAddress:
    """A blob, or one of its versions."""

    blob: BlobReference
    version_id: str | None


def read_blob_url(url: str) -> BlobAddress | None:
    """The blob that a URL names; None where it names none, or a snapshot of one.

    Anybody may say a URL: one on a host that is neither Azure's nor an emulator here names none,
    whatever it looks like.
    """
    parts = _split(url)
    asked = parse_qs(parts.query)
    version_id = asked.get("versionid", [None])[0]
    account = _account_at(parts.hostname or "", url)
    if parts.scheme not in {"http", "https"} or "snapshot" in asked or account is None:
        return None
    if version_id is not None and len(version_id) > _LONGEST_VERSION:
        return None
    try:
        return BlobAddress(named_by(url, account), version_id)
    except InvalidInput:
        return None


def account_in(url: str) -> str:
    """The account of a blob URL, whoever's: its host's first label, or its path's first segment.

    Emulators and other hosts without a name of their own for each account use the latter form.
    """
    parts = _split(url)
    host = parts.hostname or ""
    if ".blob." in host or ".dfs." in host:
        return host.partition(".")[0]
    return parts.path.lstrip("/").partition("/")[0]


def named_by(url: str, account: str) -> BlobReference:
    """The blob or folder that a URL names. Unlike subjects of events, URLs are percent-encoded.

    Raises InvalidInput for what can be no blob's.
    """
    parts = _split(url)
    path = parts.path.removeprefix("/")
    if not (parts.hostname or "").startswith(f"{account}."):
        path = path.removeprefix(f"{account}/")
    container, _, name = path.partition("/")
    try:
        return BlobReference(account, container, unquote(name, errors="strict"))
    except UnicodeDecodeError:
        raise InvalidInput("The URL is not in UTF-8.", "/url") from None


def _account_at(host: str, url: str) -> str | None:
    azures = _AZURES_HOST.fullmatch(host)
    if azures:
        return azures[1]
    return account_in(url) if is_loopback(host) else None


def is_loopback(host: str) -> bool:
    """Whether that is this machine."""
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False


def _split(url: str) -> SplitResult:
    try:
        parts = urlsplit(url)
        _ = parts.hostname
    except ValueError:
        return urlsplit("")
    return parts
