"""Faults of the Azure SDK as errors of the registry."""

from collections.abc import Generator, Mapping
from contextlib import contextmanager

from azure.core.exceptions import AzureError, HttpResponseError

from shared.errors import (
    BlobChanged,
    BlobNotFound,
    BlobUnreadable,
    RegistryError,
    StorageUnavailable,
)
from shared.identity import NoToken
from shared.models.blobs import BlobReference

_REFUSED = {401, 403}
_REDIRECTS = set(range(300, 400))
_PASSING = {408, 429}


@contextmanager
def blob_faults(blob: BlobReference) -> Generator[None]:
    """Raise what the SDK raises about a blob as the registry's own error."""
    try:
        yield
    except AzureError as fault:
        raise _of_blob(fault, blob) from fault


@contextmanager
def container_faults(container: str) -> Generator[None]:
    """Raise what the SDK raises about a container as the registry's own error."""
    try:
        yield
    except AzureError as fault:
        if _status(fault) == 404:
            raise _no_container(container) from fault
        raise _of_account(fault) from fault


@contextmanager
def account_faults() -> Generator[None]:
    """Raise what the SDK raises about the account, or a queue in it, as StorageUnavailable."""
    try:
        yield
    except AzureError as fault:
        raise _of_account(fault) from fault


def _of_blob(fault: AzureError, blob: BlobReference) -> RegistryError:
    status, code = _status(fault), _code(fault)
    if status is None or status >= 500 or status in _PASSING | _REFUSED | _REDIRECTS:
        return _of_account(fault)
    if status == 404:
        return _not_found(code, blob)
    if status in {412, 416}:
        return BlobChanged(f"The blob {_named(blob)} changed while it was being read.")
    if code == "BlobArchived":
        return BlobUnreadable(f"The blob {_named(blob)} is archived; rehydrate it to read it.")
    return BlobUnreadable(f"The store refuses to read the blob {_named(blob)}: {code or status}.")


def _not_found(code: str | None, blob: BlobReference) -> BlobNotFound:
    if code == "ContainerNotFound":
        return _no_container(blob.container)
    return BlobNotFound(f"There is no blob {_named(blob)}.")


def _no_container(container: str) -> BlobNotFound:
    return BlobNotFound(f"There is no container '{container}'.")


def _of_account(fault: AzureError) -> StorageUnavailable:
    status, code = _status(fault), _code(fault)
    if isinstance(fault, NoToken):
        return StorageUnavailable("The app's identity gets no token for the storage account.")
    if status is None:
        return StorageUnavailable()
    # Access can be granted again: a message waits for that, where a final error would drop it.
    if status in _REFUSED:
        return StorageUnavailable(f"The storage account refuses our credentials: {code or status}.")
    if status in _REDIRECTS:
        return StorageUnavailable("The storage account sends us elsewhere, where we do not go.")
    return StorageUnavailable(f"The storage account cannot serve us: {code or status}.")


def _status(fault: AzureError) -> int | None:
    return fault.status_code if isinstance(fault, HttpResponseError) else None


def _code(fault: AzureError) -> str | None:
    """The `x-ms-error-code` of the response; a HEAD's has no body to say it."""
    response = fault.response if isinstance(fault, HttpResponseError) else None
    headers: Mapping[str, str] = getattr(response, "headers", {})
    return headers.get("x-ms-error-code")


def _named(blob: BlobReference) -> str:
    return f"'{blob.path}' in container '{blob.container}'"
