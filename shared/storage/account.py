"""How a storage account is reached: the one place where clients of the Azure SDK are made."""

# The SDK's **kwargs carry no types.
# pyright: reportUnknownMemberType=false

from dataclasses import dataclass, field

from azure.core.credentials import TokenCredential
from azure.data.tables import TableServiceClient
from azure.storage.blob import BlobServiceClient
from azure.storage.queue import QueueClient

from shared.storage.patience import CLIENT_OPTIONS
from shared.storage.transport import BlobTransport

_SOCKET_BYTES = 64 * 1024


@dataclass(frozen=True)
class IdentityAccount:
    """An account that an identity asks: the addresses of those of its services that are used."""

    identity: TokenCredential = field(repr=False)
    blobs: str
    queues: str = ""
    tables: str = ""


Account = str | IdentityAccount
"""A connection string, with a key or a signature, or what an identity needs in its place."""


def blob_service(
    account: Account, *, chunk_bytes: int = _SOCKET_BYTES, **sizes: int
) -> BlobServiceClient:
    """Client of its blobs; raises ValueError for a connection string that cannot be read.

    The socket is read in chunks of so many bytes. `sizes` are the SDK's own settings.
    """
    transport = BlobTransport(connection_data_block_size=chunk_bytes, **CLIENT_OPTIONS)
    options = {"transport": transport, **CLIENT_OPTIONS, **sizes}
    if isinstance(account, str):
        return BlobServiceClient.from_connection_string(account, **options)
    return BlobServiceClient(account.blobs, account.identity, **options)


def queue_client(account: Account, name: str) -> QueueClient:
    """Client of one of its queues; raises ValueError likewise."""
    if isinstance(account, str):
        return QueueClient.from_connection_string(account, name, **CLIENT_OPTIONS)
    return QueueClient(account.queues, name, account.identity, **CLIENT_OPTIONS)


def table_service(account: Account) -> TableServiceClient:
    """Client of its tables; raises ValueError likewise."""
    if isinstance(account, str):
        return TableServiceClient.from_connection_string(account, **CLIENT_OPTIONS)
    return TableServiceClient(account.tables, credential=account.identity, **CLIENT_OPTIONS)
