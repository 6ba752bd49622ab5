"""Work that only one of several hosts does at a time, held by the lease of a blob."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from datetime import timedelta

from azure.core.exceptions import AzureError, HttpResponseError, ResourceExistsError
from azure.storage.blob import BlobLeaseClient

from devhost.host.host_state import HostState
from devhost.host.pauses import pause
from devhost.host.settings import first_line

logger = logging.getLogger(__name__)

LEASE = timedelta(seconds=15)
"""The shortest that the service grants: a host that was killed blocks its successor that long."""
RENEWAL = LEASE / 2
RETRY = timedelta(seconds=2)

Work = Callable[[asyncio.Event], Awaitable[None]]
"""Works until the event is set: the host stops, or the lock is lost."""


class Singleton:
    """A lock of all hosts that share an id."""

    def __init__(
        self, state: HostState, path: str, *, renewal: timedelta = RENEWAL, retry: timedelta = RETRY
    ) -> None:
        self._state = state
        self._path = path
        self._renewal = renewal
        self._retry = retry

    async def run(self, work: Work, stopping: asyncio.Event) -> None:
        """Do `work` whenever the lock can be had, until `stopping` is set."""
        in_outage = False
        while not stopping.is_set():
            try:
                lease = await asyncio.to_thread(self._acquire)
                in_outage = False
            except AzureError as fault:
                if not in_outage:
                    logger.warning("Lock %s cannot be had: %s", self._path, first_line(fault))
                in_outage, lease = True, None
            if lease is None:
                await pause(self._retry.total_seconds(), stopping)
            else:
                await self._hold(lease, work, stopping)

    def _acquire(self) -> BlobLeaseClient | None:
        self._state.create(self._path)
        try:
            return self._state.blob(self._path).acquire_lease(int(LEASE.total_seconds()))
        except ResourceExistsError:
            logger.debug("Lock %s is held by another host.", self._path)
            return None

    async def _hold(self, lease: BlobLeaseClient, work: Work, stopping: asyncio.Event) -> None:
        ended = asyncio.Event()
        renewal = asyncio.create_task(self._renew(lease, ended, stopping))
        try:
            await work(ended)
        finally:
            renewal.cancel()
            await asyncio.wait([renewal])
            await asyncio.to_thread(_release, lease)

    async def _renew(
        self, lease: BlobLeaseClient, ended: asyncio.Event, stopping: asyncio.Event
    ) -> None:
        """Sets `ended` when the host stops or the lease is lost; an outage alone ends nothing."""
        while True:
            await pause(self._renewal.total_seconds(), stopping)
            if stopping.is_set():
                break
            try:
                await asyncio.to_thread(lease.renew)
            except HttpResponseError as fault:
                logger.warning("Lock %s was lost: %s", self._path, first_line(fault))
                break
            except AzureError as fault:  # the work itself will say that storage is away
                logger.debug("Lock %s was not renewed: %s", self._path, first_line(fault))
        ended.set()


def _release(lease: BlobLeaseClient) -> None:
    try:
        lease.release()
    except AzureError as fault:  # it runs out by itself
        logger.debug("A lock was not released: %s", first_line(fault))
