"""What callers who come together ask for together: one visit to a worker thread lets them all in.

Only callers with an API key: checking a token may wait for its issuer, and nobody else should.
"""

from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import Generic, TypeVar
from uuid import UUID

from fastapi import Request

from functions.http.entry import Entry
from functions.http.lanes import VISITS, Lane
from functions.http.worker_threads import in_worker_thread
from shared.bootstrap import Registry
from shared.errors import ArtifactNotFound, RegistryError
from shared.models.artifacts import Artifact, ArtifactRegistration
from shared.models.callers import Caller
from shared.models.registrations import Registration

Question = TypeVar("Question")
Answer = TypeVar("Answer")
Asked = tuple[Entry, Question]


class SharedVisits(Generic[Question, Answer]):
    """Asks one question of the registry, together with others who ask the same kind."""

    def __init__(
        self,
        answer: Callable[[Entry, Question], Answer],
        answer_each: Callable[
            [Registry, Sequence[Asked[Question]]], Sequence[Answer | RegistryError]
        ],
        *,
        answer_with_key: Callable[
            [Registry, str, Sequence[Question]],
            Awaitable[tuple[Caller | RegistryError, Sequence[Answer | RegistryError]]],
        ]
        | None = None,
        visits: int = VISITS,
    ) -> None:
        """Whatever blocks does so in a worker thread.

        `answer_with_key` lets in and answers those who present one key in one go, on the loop.
        """
        self._answer_with_key = answer_with_key
        self._answer = answer
        self._answer_each = answer_each
        self._registry: Registry | None = None
        self._lane = Lane[Asked[Question], Answer](self._visit, visits=visits)

    async def ask(self, entry: Entry, question: Question) -> Answer:
        """The answer, once the caller is let in; raises what is wrong with either."""
        if entry.has_token:
            return await in_worker_thread(partial(self._visit_alone, entry, question))
        return await self._lane.ask((entry, question))

    def _visit_alone(self, entry: Entry, question: Question) -> Answer:
        entry.open()
        return self._answer(entry, question)

    async def _visit(self, asked: Sequence[Asked[Question]]) -> Sequence[Answer | Exception]:
        entries = [entry for entry, _ in asked]
        key = only_key(entries)
        if self._answer_with_key is None or key is None:
            return await in_worker_thread(partial(self._visit_each, asked))
        if self._registry is None:
            self._registry = await in_worker_thread(entries[0].build)
        registry = self._registry
        caller, told = await self._answer_with_key(registry, key, [each for _, each in asked])
        return [
            entry.admit(registry, caller) or one for entry, one in zip(entries, told, strict=True)
        ]

    def _visit_each(self, asked: Sequence[Asked[Question]]) -> Sequence[Answer | Exception]:
        if len(asked) == 1:
            return [self._visit_alone(*asked[0])]
        entries = [entry for entry, _ in asked]
        registry = entries[0].build()
        refused = open_each(registry, entries)
        allowed = [each for each, error in zip(asked, refused, strict=True) if error is None]
        answers = iter(self._answer_each(registry, allowed) if allowed else ())
        return [next(answers) if error is None else error for error in refused]


def only_key(entries: Sequence[Entry]) -> str | None:
    """The key that all of them present; None where there is not exactly one."""
    presented = {entry.presented for entry in entries}
    key, token = presented.pop()
    return key if token is None and not presented else None


def open_each(registry: Registry, entries: Sequence[Entry]) -> list[RegistryError | None]:
    """Let each caller in for whom there is no error in its place."""
    callers = registry.access.authenticate_each([entry.presented for entry in entries])
    return [entry.admit(registry, caller) for entry, caller in zip(entries, callers, strict=True)]


class Visits:
    """The questions that are short and frequent enough to be asked together."""

    def __init__(self) -> None:
        self.artifact = SharedVisits[UUID, Artifact](_get, _get_each, answer_with_key=_get_with_key)
        self.registration = SharedVisits[ArtifactRegistration, Registration](
            _register, _register_each
        )


def visits_of(request: Request) -> Visits:
    """Those of the application that the request came to."""
    return request.app.state.visits


def _get(entry: Entry, artifact_id: UUID) -> Artifact:
    return entry.registry.artifacts.get_by_id(artifact_id)


def _get_each(
    registry: Registry, asked: Sequence[Asked[UUID]]
) -> Sequence[Artifact | RegistryError]:
    return registry.artifacts.get_each([artifact_id for _, artifact_id in asked])


async def _get_with_key(
    registry: Registry, key: str, artifact_ids: Sequence[UUID]
) -> tuple[Caller | RegistryError, Sequence[Artifact | RegistryError]]:
    caller, found = await registry.access.authenticate_with_artifacts(key, artifact_ids)
    return caller, [found.get(artifact_id) or ArtifactNotFound() for artifact_id in artifact_ids]


def _register(entry: Entry, registration: ArtifactRegistration) -> Registration:
    return entry.registry.artifacts.register(registration, entry.origin)


def _register_each(
    registry: Registry, asked: Sequence[Asked[ArtifactRegistration]]
) -> Sequence[Registration | RegistryError]:
    items = registry.artifacts.register_each(
        [(registration, entry.origin) for entry, registration in asked]
    )
    return [item.registration or item.error or RegistryError() for item in items]
