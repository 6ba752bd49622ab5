"""Credentials of storage, as build servers have them in their environment."""

from datetime import UTC, datetime, timedelta

from azure.storage.blob import ContainerSasPermissions, generate_container_sas

from devhost.stack.azurite import Azurite
from tests.integration.cli.conftest import Terminal


def signed_url(azurite: Azurite, container: str, *, may: str = "rcw") -> str:
    """A container's URL with a signature that allows this and no more."""
    signature = generate_container_sas(
        azurite.account,
        container,
        account_key=azurite.account_key,
        permission=ContainerSasPermissions.from_string(may),
        expiry=datetime.now(UTC) + timedelta(hours=1),
    )
    return f"http://127.0.0.1:{azurite.ports[0]}/{azurite.account}/{container}?{signature}"


def with_key(server: Terminal, azurite: Azurite, container: str) -> Terminal:
    """With the key of the account."""
    return server.having(
        AZURE_STORAGE_CONNECTION_STRING=azurite.connection_string, BLDST_CONTAINER=container
    )


def with_signature(server: Terminal, azurite: Azurite, container: str) -> Terminal:
    """With a signature for one container."""
    return server.having(BLDST_UPLOAD_URL=signed_url(azurite, container))
