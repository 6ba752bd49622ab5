"""Finds the blobs that were written since the last look, and gives notice of each once."""

import asyncio
import json
import logging
from collections.abc import Callable
from datetime import datetime

from azure.core.exceptions import AzureError, ResourceNotFoundError
from azure.storage.blob import ContainerClient
from azure.storage.queue import QueueClient

from devhost.host.blob_paths import BlobPathPattern
from devhost.host.blob_receipts import BlobReceipts, BlobVersion, Claim
from devhost.host.settings import first_line
from devhost.host.storage import send_message

logger = logging.getLogger(__name__)

AT_ONCE = 4


class BlobSweep:
    """Looks through one container for one function."""

    def __init__(
        self,
        function_name: str,
        pattern: BlobPathPattern,
        container: ContainerClient,
        receipts: BlobReceipts,
        notices: QueueClient,
        now: Callable[[], datetime],
    ) -> None:
        self._function_name = function_name
        self._pattern = pattern
        self._container = container
        self._receipts = receipts
        self._notices = notices
        self._now = now
        self._seen: set[BlobVersion] = set()
        self._in_outage = False

    async def sweep(self, stopping: asyncio.Event) -> int:
        """List the container and give notice of what is new; how many notices were sent.

        A container that does not exist is an empty one. When storage cannot be reached, nothing
        is lost: the next sweep finds it. Begins no more notices once `stopping` is set, so that
        each is given whole or not at all.
        """
        try:
            found = await asyncio.to_thread(self._list)
        except AzureError as fault:
            self._note_outage(fault)
            return 0
        self._in_outage = False
        self._seen &= found
        limit = asyncio.Semaphore(AT_ONCE)
        sent = [self._settle(version, limit, stopping) for version in found - self._seen]
        return sum(await asyncio.gather(*sent))

    def _list(self) -> set[BlobVersion]:
        container = self._pattern.container
        try:
            return {
                BlobVersion(container, blob.name, blob.etag.strip('"'))
                for blob in self._container.list_blobs(name_starts_with=self._pattern.prefix)
                if self._pattern.match(blob.name) is not None
            }
        except ResourceNotFoundError:
            return set()

    async def _settle(
        self, version: BlobVersion, limit: asyncio.Semaphore, stopping: asyncio.Event
    ) -> bool:
        async with limit:
            if stopping.is_set():
                return False
            try:
                claim = await asyncio.to_thread(self._give_notice, version)
            except AzureError as fault:
                self._note_outage(fault)
                return False
        if claim is not Claim.BUSY:
            self._seen.add(version)
        return claim is Claim.OURS

    def _give_notice(self, version: BlobVersion) -> Claim:
        claim = self._receipts.claim(version, self._now())
        if claim is Claim.OURS:
            send_message(self._notices, notice(self._function_name, version))
            self._receipts.complete(version)
        return claim

    def _note_outage(self, fault: AzureError) -> None:
        if not self._in_outage:
            logger.warning("Sweep of %s failed: %s", self._pattern.container, first_line(fault))
        self._in_outage = True


def notice(function_name: str, version: BlobVersion) -> str:
    """The message on the host's blob queue, with the names that the real host gives its members."""
    return json.dumps(
        {
            "Type": "BlobTrigger",
            "FunctionId": function_name,
            "ContainerName": version.container,
            "BlobName": version.name,
            "ETag": version.etag,
        }
    )
