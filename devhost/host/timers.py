"""Runs timer-triggered functions."""

import asyncio
import json
import logging
from datetime import timedelta

from azure.core.exceptions import AzureError

from devhost.host.clocks import Clock, SystemClock
from devhost.host.host_state import HostState
from devhost.host.model import FunctionSpec, Invoker, TriggerInput
from devhost.host.pauses import DRAIN, finish, pause
from devhost.host.schedules import is_sub_minute, parse_schedule
from devhost.host.settings import first_line
from devhost.host.singleton import RENEWAL, RETRY, Singleton
from devhost.host.storage import StorageConnections
from devhost.host.timer_status import TimerStatus, TimerStatusStore

logger = logging.getLogger(__name__)


class TimerListener:
    """Runs one function with a `timerTrigger` when it is due, on one host at a time.

    Runs never overlap: what falls due during a run fires once after it, not once each. How a run
    ends does not matter to the schedule. Whatever fell due while no host ran comes as one run that
    is past due, unless the timer is due more than once a minute: then no status is kept.
    """

    def __init__(
        self,
        function: FunctionSpec,
        connections: StorageConnections,
        invoker: Invoker,
        host_id: str,
        *,
        clock: Clock | None = None,
        renewal: timedelta = RENEWAL,
        retry: timedelta = RETRY,
        drain: timedelta = DRAIN,
    ) -> None:
        """Raises `FunctionLoadError`, for a schedule or a connection that cannot be used."""
        trigger = function.trigger.properties
        self._function = function
        self._invoker = invoker
        self._clock = clock or SystemClock()
        now = self._clock.now()
        self._schedule = parse_schedule(str(trigger["schedule"]), now)
        self._runs_on_startup = bool(trigger.get("runOnStartup", False))
        self._keeps_status = trigger.get("useMonitor", True) and not is_sub_minute(
            self._schedule, now
        )
        state = HostState(connections)
        self._store = TimerStatusStore(state, host_id, function.name)
        lock = f"locks/{host_id}/{function.name}.Listener"
        self._singleton = Singleton(state, lock, renewal=renewal, retry=retry)
        self._retry = retry
        self._drain = drain

    async def run(self, stopping: asyncio.Event) -> None:
        """Run the function on its schedule until `stopping` is set, then end within `drain`."""
        keeping_time = asyncio.ensure_future(self._singleton.run(self._keep_time, stopping))
        if not await finish(keeping_time, stopping, self._drain):
            logger.warning("The run of %s did not end in time.", self._function.name)

    async def _keep_time(self, stopping: asyncio.Event) -> None:
        status = await self._load(stopping)
        if status is None:
            return
        if self._keeps_status and self._clock.now() > status.next:
            status = await self._fire(status, is_past_due=True)
        elif self._runs_on_startup:
            status = await self._fire(status)
        while True:
            await self._clock.wait_until(status.next, stopping)
            if stopping.is_set():
                return
            status = await self._fire(status)

    async def _load(self, stopping: asyncio.Event) -> TimerStatus | None:
        """The status to start from; None when stopped before storage could be read."""
        while not stopping.is_set():
            now = self._clock.now()
            if not self._keeps_status:
                return TimerStatus.initial(self._schedule, now)
            try:
                stored = await asyncio.to_thread(self._store.load)
            except AzureError as fault:
                logger.warning("The status of %s: %s", self._function.name, first_line(fault))
                await pause(self._retry.total_seconds(), stopping)
                continue
            if stored is None:
                status = TimerStatus.initial(self._schedule, now)
            else:
                status = stored.reconciled(self._schedule, now)
            if status != stored:
                await self._save(status)
            return status
        return None

    async def _fire(self, status: TimerStatus, *, is_past_due: bool = False) -> TimerStatus:
        at = self._clock.now()
        if is_past_due:
            logger.info("%s is past due: it was due at %s.", self._function.name, status.next)
        await self._invoker.invoke(self._function, self._input(status, is_past_due))
        status = TimerStatus.after_run(self._schedule, at)
        await self._save(status)
        return status

    def _input(self, status: TimerStatus, is_past_due: bool) -> TriggerInput:
        info = {
            "Schedule": {"AdjustForDST": True},
            "ScheduleStatus": status.to_json() if self._keeps_status else None,
            "IsPastDue": is_past_due,
        }
        return TriggerInput("json", json.dumps(info))

    async def _save(self, status: TimerStatus) -> None:
        if not self._keeps_status:
            return
        try:
            await asyncio.to_thread(self._store.save, status)
        except AzureError as fault:
            logger.warning("The status of %s: %s", self._function.name, first_line(fault))
