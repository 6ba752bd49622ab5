"""Requests that come together are answered together.

A visit to a worker thread, and a round trip to the database, cost more than a short request itself.
So whoever asks while another visit is under way waits for the next one, which takes all that wait:
one statement. A request that comes alone is answered at once.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, TypeVar

Question = TypeVar("Question")
Answer = TypeVar("Answer")

MOST_TOGETHER = 64
"""So many requests one visit takes at most: one that is slow keeps no more than these waiting."""
VISITS = 2
"""Visits under way at once: while one waits for the database, another may be prepared."""


class Lane(Generic[Question, Answer]):
    """Answers questions through a coroutine function that takes several of them.

    The function gives an answer, or an error to raise, for each question in its place. What it
    raises itself is raised for every question of the visit.
    """

    def __init__(
        self,
        answer_each: Callable[[Sequence[Question]], Awaitable[Sequence[Answer | Exception]]],
        *,
        visits: int = VISITS,
        most_together: int = MOST_TOGETHER,
    ) -> None:
        self._answer_each = answer_each
        self._visits = visits
        self._most_together = most_together
        self._waiting: deque[tuple[Question, asyncio.Future[Answer]]] = deque()
        self._under_way: set[asyncio.Task[None]] = set()

    async def ask(self, question: Question) -> Answer:
        """The answer to one question; raises what is wrong with it."""
        future: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        self._waiting.append((question, future))
        # Not at once: what came with this request, in the same turn of the loop, goes along.
        asyncio.get_running_loop().call_soon(self._set_out)
        return await future

    def _set_out(self) -> None:
        while self._waiting and len(self._under_way) < self._visits:
            count = min(len(self._waiting), self._most_together)
            taken = [self._waiting.popleft() for _ in range(count)]
            visit = asyncio.create_task(self._visit(taken))
            self._under_way.add(visit)
            visit.add_done_callback(self._return)

    def _return(self, visit: asyncio.Task[None]) -> None:
        self._under_way.discard(visit)
        if not visit.cancelled():
            self._set_out()

    async def _visit(self, taken: Sequence[tuple[Question, asyncio.Future[Answer]]]) -> None:
        questions = [question for question, _ in taken]
        # Whatever it raises, those who wait must hear of it.
        (answers,) = await asyncio.gather(self._answer_each(questions), return_exceptions=True)
        if isinstance(answers, BaseException):
            answers = [answers] * len(taken)
        for (_, future), answer in zip(taken, answers, strict=True):
            if future.done():  # whoever asked is gone
                continue
            if isinstance(answer, BaseException):
                future.set_exception(answer)
            else:
                future.set_result(answer)
