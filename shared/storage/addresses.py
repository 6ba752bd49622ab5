"""Addresses of blobs, as the Azure SDK writes them."""

from urllib.parse import quote

_PLAIN = "~/"
"""What the SDK leaves as it is in a blob's name."""


def account_address(url: str) -> tuple[str, str]:
    """Address of an account without credentials, and its shared access signature with the `?`.

    The latter is empty where the account is reached by a key.
    """
    uri, mark, signature = url.partition("?")
    return uri.rstrip("/"), mark + signature


def blob_uri(account_uri: str, container: str, path: str) -> str:
    """Address of a blob below that of its account, without credentials."""
    return f"{account_uri}/{quote(container)}/{quote(path, safe=_PLAIN)}"
