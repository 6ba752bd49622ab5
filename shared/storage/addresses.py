"""Addresses of blobs, as the Azure SDK writes them."""

from urllib.parse import quote

_PLAIN = "~/"
"""What the SDK leaves as it is in a blob's name."""


def blob_uri(account_uri: str, container: str, path: str) -> str:
    """Address of a blob below that of its account, without credentials."""
    return f"{account_uri}/{quote(container)}/{quote(path, safe=_PLAIN)}"
