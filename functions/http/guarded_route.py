"""Routes that nobody gets through without a credential, whatever their endpoints forget."""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Coroutine, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from inspect import Parameter, Signature, cleandoc, iscoroutinefunction, signature
from typing import Any, ClassVar

from fastapi import Request, Response
from fastapi.routing import APIRoute

from functions.http.entry import Entry
from functions.http.query_parameters import refuse_repeated
from functions.http.strict_body import StrictRequest
from shared.models.api_keys import Scope

Endpoint = Callable[..., Response]

KEY_SCHEME, TOKEN_SCHEME = "ApiKey", "BearerToken"
"""What the documentation calls the two kinds of credential."""

_READING = frozenset({"GET", "HEAD"})
_WORKERS = ThreadPoolExecutor(max_workers=32, thread_name_prefix="request")
"""A visit to one of these costs half of what it does with the framework's own threads."""


class GuardedRoute(APIRoute):
    """A route whose endpoint runs once its caller was let in: `read` to look, or to change, more.

    An endpoint takes an `entry` and blocks: letting in and the endpoint share one visit to a worker
    thread. What is wrong with a request is told to those only who may make it.
    """

    reading: ClassVar[Scope] = Scope.READ
    changing: ClassVar[Scope]

    def __init__(
        self, path: str, endpoint: Endpoint, *, methods: Collection[str], **options: Any
    ) -> None:
        self._scope = self.reading if _READING.issuperset(methods) else self.changing
        options |= _described(endpoint, self._scope, options)
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
                    await _in_worker_thread(partial(entry.open, self._scope))
                raise

        return handle_guarded


def _described(endpoint: Endpoint, scope: Scope, options: Mapping[str, Any]) -> dict[str, Any]:
    """What the documentation says of a guarded route beyond what its author did."""
    told = options.get("description") or cleandoc(endpoint.__doc__ or "")
    return {
        "description": f"{told}\n\nNeeds the scope `{scope}`.",
        "operation_id": f"{options['tags'][0]}_{endpoint.__name__}",
        "openapi_extra": {"security": [{KEY_SCHEME: []}, {TOKEN_SCHEME: []}]},
    }


async def _handle_strictly(
    handle: Callable[[Request], Awaitable[Response]], request: Request, *, takes_body: bool
) -> Response:
    refuse_repeated(request)
    if takes_body:
        request = StrictRequest(request.scope, request.receive)
        await request.read()
    return await handle(request)


def _guarded(endpoint: Endpoint, scope: Scope) -> Callable[..., Awaitable[Response]]:
    """The endpoint as the framework is to see it: asking for the request, not for an entry."""
    assert not iscoroutinefunction(endpoint), "a guarded endpoint blocks"  # noqa: S101 - told at start

    async def visit(request: Request, **values: Any) -> Response:
        return await _in_worker_thread(partial(open_and_call, request.state.entry, values))

    def open_and_call(entry: Entry, values: dict[str, Any]) -> Response:
        entry.open(scope)
        return endpoint(entry=entry, **values)

    described = signature(endpoint)
    parameters = dict(described.parameters)
    parameters["entry"] = Parameter("request", Parameter.KEYWORD_ONLY, annotation=Request)
    visit.__signature__ = Signature(
        [each.replace(kind=Parameter.KEYWORD_ONLY) for each in parameters.values()],
        return_annotation=described.return_annotation,
    )
    visit.__name__, visit.__doc__ = endpoint.__name__, endpoint.__doc__
    return visit


async def _in_worker_thread(work: Callable[[], Any]) -> Any:
    return await asyncio.get_running_loop().run_in_executor(_WORKERS, work)


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
