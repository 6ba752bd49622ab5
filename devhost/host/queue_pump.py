"""Takes the messages of one storage queue, as the queues extension of the Functions host does."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from datetime import timedelta

from azure.core.exceptions import AzureError, ResourceNotFoundError
from azure.storage.queue import QueueClient, QueueMessage

from devhost.host.host_config import QueuesConfig
from devhost.host.pauses import DRAIN, pause
from devhost.host.settings import first_line
from devhost.host.storage import create_queue, send_message

logger = logging.getLogger(__name__)

FIRST_PAUSE = timedelta(milliseconds=100)
VISIBILITY = timedelta(minutes=10)
POISON_LIFETIME = timedelta(days=7)


class UnreadableMessage(Exception):
    """A message that no retry makes readable."""


Handler = Callable[[QueueMessage], Awaitable[bool]]
"""Runs one message; true when it succeeded. Raises `UnreadableMessage` to have it set aside."""


class QueuePump:
    """Hands every message of `queue` to `handle`: at least once, several at a time.

    A message is invisible to others for `visibility`, renewed at half of it while `handle` runs.
    Success deletes it. Failure shows it again after the visibility timeout until it was dequeued
    `max_dequeue_count` times, then moves it to `poison`; without a poison queue it stays invisible
    for the rest of its time, so that it does not come round in a tight loop.
    """

    def __init__(
        self,
        queue: QueueClient,
        poison: QueueClient | None,
        options: QueuesConfig,
        handle: Handler,
        *,
        visibility: timedelta = VISIBILITY,
        drain: timedelta = DRAIN,
    ) -> None:
        self._queue = queue
        self._poison = poison
        self._options = options
        self._handle = handle
        self._visibility = visibility
        self._drain = drain
        self._running: set[asyncio.Task[None]] = set()
        self._wake = asyncio.Event()
        self._in_outage = False

    def wake(self) -> None:
        """Look into the queue now instead of at the end of the pause."""
        self._wake.set()

    async def run(self, stopping: asyncio.Event) -> None:
        """Take messages until `stopping` is set, then wait a bounded time for those that run."""
        wait = FIRST_PAUSE
        try:
            while not stopping.is_set():
                self._wake.clear()
                if len(self._running) > self._options.effective_threshold:
                    await pause(None, self._wake, stopping)
                elif await self._take_batch():
                    wait = FIRST_PAUSE
                else:
                    await pause(wait.total_seconds(), self._wake, stopping)
                    wait = min(wait * 2, self._options.max_polling_interval)
        finally:
            await self._finish()

    async def _take_batch(self) -> bool:
        try:
            messages = await asyncio.to_thread(self._receive)
        except AzureError as fault:
            self._note_outage(fault)
            return False
        if self._in_outage:
            self._in_outage = False
            logger.info("Queue %s can be read again.", self._queue.queue_name)
        for message in messages:
            task = asyncio.create_task(self._process(message))
            self._running.add(task)
            task.add_done_callback(self._ended)
        return bool(messages)

    def _receive(self) -> list[QueueMessage]:
        batch = self._options.batch_size
        try:
            return list(
                self._queue.receive_messages(
                    messages_per_page=batch,
                    max_messages=batch,
                    visibility_timeout=_seconds(self._visibility),
                )
            )
        except ResourceNotFoundError:
            create_queue(self._queue)
            return []

    def _note_outage(self, fault: AzureError) -> None:
        if not self._in_outage:
            name = self._queue.queue_name
            logger.warning("Queue %s cannot be read, trying on: %s", name, first_line(fault))
        self._in_outage = True

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._running.discard(task)
        self._wake.set()

    async def _process(self, message: QueueMessage) -> None:
        delivery = _Delivery(self._queue, message, self._visibility)
        try:
            await self._settle(delivery, await self._outcome(delivery))
        except AzureError as fault:
            logger.warning(
                "Message %s of queue %s could not be settled and will come again: %s",
                message.id,
                self._queue.queue_name,
                first_line(fault),
            )

    async def _outcome(self, delivery: "_Delivery") -> bool | None:
        """Whether the run succeeded; None for a message that must not run (again)."""
        if (delivery.message.dequeue_count or 0) > self._options.max_dequeue_count:
            return None
        ended = asyncio.Event()
        renewal = asyncio.create_task(delivery.keep_invisible(ended))
        try:
            return await self._handle(delivery.message)
        except UnreadableMessage as fault:
            logger.warning("Message %s: %s", delivery.message.id, fault)
            return None
        except Exception:
            logger.exception("Message %s could not be run.", delivery.message.id)
            return False
        finally:
            ended.set()
            await renewal  # a renewal under way changes the receipt that settling needs

    async def _settle(self, delivery: "_Delivery", succeeded: bool | None) -> None:
        if succeeded:
            await asyncio.to_thread(delivery.delete)
            return
        if self._poison is None:
            return
        exhausted = (delivery.message.dequeue_count or 0) >= self._options.max_dequeue_count
        if succeeded is None or exhausted:
            logger.warning("Message %s moves to %s.", delivery.message.id, self._poison.queue_name)
            await asyncio.to_thread(
                send_message, self._poison, str(delivery.message.content), POISON_LIFETIME
            )
            await asyncio.to_thread(delivery.delete)
        else:
            await asyncio.to_thread(delivery.show_after, self._options.visibility_timeout)

    async def _finish(self) -> None:
        if not self._running:
            return
        _, late = await asyncio.wait(self._running, timeout=self._drain.total_seconds())
        for task in late:
            task.cancel()
        if late:
            logger.warning(
                "%d runs of queue %s did not end in time; their messages will come again.",
                len(late),
                self._queue.queue_name,
            )
            await asyncio.wait(late)


class _Delivery:
    """One receipt of one message: the right to renew, show or delete it."""

    def __init__(self, queue: QueueClient, message: QueueMessage, visibility: timedelta) -> None:
        self.message = message
        self._queue = queue
        self._visibility = visibility
        self._receipt = message.pop_receipt or ""

    async def keep_invisible(self, ended: asyncio.Event) -> None:
        """Renew at half of the visibility until `ended`."""
        while True:
            await pause(self._visibility.total_seconds() / 2, ended)
            if ended.is_set():
                return
            try:
                await asyncio.to_thread(self.show_after, self._visibility)
            except AzureError as fault:
                logger.warning("Message %s was not renewed: %s", self.message.id, first_line(fault))

    def show_after(self, delay: timedelta) -> None:
        updated = self._queue.update_message(
            self.message.id, self._receipt, visibility_timeout=_seconds(delay)
        )
        self._receipt = updated.pop_receipt or ""

    def delete(self) -> None:
        self._queue.delete_message(self.message.id, self._receipt)


def _seconds(duration: timedelta) -> int:
    return int(duration.total_seconds())
