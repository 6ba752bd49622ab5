"""Blobs put into a container as an uploader would, for tests that read them."""

from collections.abc import Generator
from contextlib import contextmanager

from azure.storage.blob import BlobBlock, BlobServiceClient, ContentSettings

from shared.models.blobs import BlobReference


class Uploads:
    """One container, written to with the Azure SDK."""

    def __init__(self, service: BlobServiceClient, container: str) -> None:
        self._service = service
        self.container = service.get_container_client(container)

    def put(
        self,
        name: str,
        content: bytes,
        *,
        metadata: dict[str, str] | None = None,
        content_type: str | None = None,
        content_encoding: str | None = None,
    ) -> BlobReference:
        """Write a blob, over whatever the name holds."""
        settings = ContentSettings(content_type=content_type, content_encoding=content_encoding)
        self.container.upload_blob(
            name, content, overwrite=True, metadata=metadata, content_settings=settings
        )
        return self.reference(name)

    def put_blocks(self, name: str, block: bytes, count: int) -> BlobReference:
        """Write a large blob: the same block, `count` times over."""
        client = self.container.get_blob_client(name)
        ids = [f"{number:06}" for number in range(count)]
        for block_id in ids:
            client.stage_block(block_id, block)
        client.commit_block_list([BlobBlock(block_id) for block_id in ids])
        return self.reference(name)

    def reference(self, name: str) -> BlobReference:
        """The blob of that name, there or not."""
        account = self._service.account_name or ""
        return BlobReference(account, self.container.container_name, name)


@contextmanager
def uploading_to(connection_string: str, container: str) -> Generator[Uploads]:
    """Uploads to a container, which is made where it is missing."""
    with BlobServiceClient.from_connection_string(connection_string) as service:
        uploads = Uploads(service, container)
        if not uploads.container.exists():
            uploads.container.create_container()
        yield uploads
