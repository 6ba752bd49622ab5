"""Routes that nobody gets through without a credential, whatever their endpoints forget."""

from collections.abc import Awaitable, Callable, Collection, Coroutine
from functools import wraps
from typing import Any, ClassVar

from fastapi import Request, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.routing import APIRoute

from functions.http.entry import Entry
from functions.http.query_parameters import refuse_repeated
from functions.http.strict_body import StrictRequest
from shared.models.api_keys import Scope

_READING = frozenset({"GET", "HEAD"})


class GuardedRoute(APIRoute):
    """A route whose endpoint runs once its caller was let in: `read` to look, or to change, more.

    Letting in and the endpoint itself share one visit to a worker thread, which costs a good part
    of a short request. What is wrong with a request is told to those only who may make it.
    """

    reading: ClassVar[Scope] = Scope.READ
    changing: ClassVar[Scope]

    def __init__(
        self, path: str, endpoint: Callable[..., Any], *, methods: Collection[str], **options: Any
    ) -> None:
        self._scope = self.reading if _READING.issuperset(methods) else self.changing
        super().__init__(path, _guarded(endpoint, self._scope), methods=list(methods), **options)

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handle = super().get_route_handler()
        takes_body = self.body_field is not None

        async def handle_guarded(request: Request) -> Response:
            entry = request.state.entry = Entry(request)
            try:
                return await _handle_strictly(handle, request, takes_body=takes_body)
            except Exception:
                if not entry.was_tried:
                    await run_in_threadpool(entry.open, self._scope)
                raise

        return handle_guarded


async def _handle_strictly(
    handle: Callable[[Request], Awaitable[Response]], request: Request, *, takes_body: bool
) -> Response:
    refuse_repeated(request)
    if takes_body:
        request = StrictRequest(request.scope, request.receive)
        await request.read()
    return await handle(request)


def _guarded(endpoint: Callable[..., Any], scope: Scope) -> Callable[..., Any]:
    @wraps(endpoint)
    def open_and_call(*, entry: Entry, **values: Any) -> Any:
        entry.open(scope)
        return endpoint(entry=entry, **values)

    return open_and_call


class AdminRoute(GuardedRoute):
    """Looking needs `read`, changing needs `admin`."""

    changing = Scope.ADMIN


class PipelineRoute(GuardedRoute):
    """Looking needs `read`, changing needs `write`."""

    changing = Scope.WRITE


class QuestionRoute(GuardedRoute):
    """A question that takes a body, hence a POST: `read` is enough."""

    changing = Scope.READ


class OperatorRoute(GuardedRoute):
    """Even looking needs `admin`."""

    reading = Scope.ADMIN
    changing = Scope.ADMIN
