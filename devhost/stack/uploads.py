"""The container that uploads go to, and the right to put blobs into it."""

from datetime import datetime, timedelta

from azure.core.exceptions import ResourceExistsError
from azure.storage.blob import BlobServiceClient, ContainerSasPermissions, generate_container_sas

from devhost.stack.azurite import Azurite

SAS_DAYS = 7


def ensure_container(azurite: Azurite, container: str) -> None:
    """Make the container when it does not exist yet."""
    with BlobServiceClient.from_connection_string(azurite.connection_string) as service:
        try:
            service.get_container_client(container).create_container()
        except ResourceExistsError:
            return


def upload_token(azurite: Azurite, container: str, now: datetime) -> str:
    """A SAS query string that lets tools without the SDK, such as curl, upload for a week."""
    return generate_container_sas(
        azurite.account,
        container,
        account_key=azurite.account_key,
        permission=ContainerSasPermissions(read=True, write=True, create=True, list=True),
        expiry=now + timedelta(days=SAS_DAYS),
    )
