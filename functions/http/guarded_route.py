"""Routes that nobody gets through without a credential, whatever their endpoints forget."""

from collections.abc import Awaitable, Callable, Collection, Coroutine, Mapping
from functools import partial
from inspect import Parameter, Signature, cleandoc, iscoroutinefunction, signature
from typing import Any, ClassVar

from fastapi import Request, Response
from fastapi import params as declared
from fastapi.routing import APIRoute
from starlette.types import ASGIApp, Receive, Send
from starlette.types import Scope as Connection

from functions.http.entry import Entry
from functions.http.query_parameters import refuse_repeated, refuse_unknown
from functions.http.reading import Reader, reader_of
from functions.http.strict_body import StrictRequest
from functions.http.worker_threads import in_worker_thread
from shared.models.api_keys import Scope

Endpoint = Callable[..., Any]

KEY_SCHEME, TOKEN_SCHEME = "ApiKey", "BearerToken"
"""What the documentation calls the two kinds of credential."""

_SMALL_BYTES = 64 * 1024
"""Reading a larger body takes so long that it is done for those only who may send it."""

_READING = frozenset({"GET", "HEAD"})


class GuardedRoute(APIRoute):
    """A route whose endpoint runs once its caller was let in: `read` to look, or to change, more.

    An endpoint takes an `entry`. Where it blocks, letting in and the endpoint share one visit to a
    worker thread. A coroutine sees to it itself that the entry is opened, by `Visits`; an answer of
    one that does not is never sent. What is wrong with a request is told to those only who may make
    it.
    """

    reading: ClassVar[Scope] = Scope.READ
    changing: ClassVar[Scope]
    refuses_unknown: ClassVar[bool] = False
    """Whether looking, too, refuses parameters that it does not have; changing always does."""

    def __init__(
        self, path: str, endpoint: Endpoint, *, methods: Collection[str], **options: Any
    ) -> None:
        self._scope = self.reading if _READING.issuperset(methods) else self.changing
        options |= _described(endpoint, self._scope, options)
        super().__init__(path, _guarded(endpoint), methods=list(methods), **options)
        read = reader_of(endpoint)
        if read is not None:
            self.app = _application(self._handler(partial(_call, self.endpoint, read)))

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        return self._handler(super().get_route_handler())

    def _handler(
        self, handle: Callable[[Request], Awaitable[Response]]
    ) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        takes_body = self.body_field is not None
        is_lenient = _READING.issuperset(self.methods or ()) and not self.refuses_unknown
        known = None if is_lenient else _query_names(self.endpoint)

        async def handle_guarded(request: Request) -> Response:
            entry = request.state.entry = Entry(request, self._scope)
            try:
                if known is not None:
                    refuse_unknown(request, known)
                return await _handle_strictly(handle, request, entry, takes_body=takes_body)
            except Exception:
                if not entry.was_tried:
                    await in_worker_thread(entry.open)
                raise

        return handle_guarded


def _query_names(endpoint: Endpoint) -> frozenset[str]:
    """The parameters that an endpoint has in the query string, alone or together in a model."""
    return frozenset(
        known
        for name, parameter in signature(endpoint).parameters.items()
        for each in getattr(parameter.annotation, "__metadata__", ())
        if isinstance(each, declared.Query)
        for known in getattr(parameter.annotation.__origin__, "model_fields", [each.alias or name])
    )


def _described(endpoint: Endpoint, scope: Scope, options: Mapping[str, Any]) -> dict[str, Any]:
    """What the documentation says of a guarded route beyond what its author did."""
    told = options.get("description") or cleandoc(endpoint.__doc__ or "")
    return {
        "description": f"{told}\n\nNeeds the scope `{scope}`.",
        "operation_id": "_".join([*options["tags"], endpoint.__name__]),
        "openapi_extra": (options.get("openapi_extra") or {})
        | {"security": [{KEY_SCHEME: []}, {TOKEN_SCHEME: []}]},
    }


def _application(handle: Callable[[Request], Awaitable[Response]]) -> ASGIApp:
    """A route without what the framework keeps open around one; the app itself handles errors."""

    async def answer(scope: Connection, receive: Receive, send: Send) -> None:
        response = await handle(Request(scope, receive, send))
        await response(scope, receive, send)

    return answer


async def _call(endpoint: Endpoint, read: Reader, request: Request) -> Response:
    answered: Response = await endpoint(request=request, **read(request))
    return answered


async def _handle_strictly(
    handle: Callable[[Request], Awaitable[Response]],
    request: Request,
    entry: Entry,
    *,
    takes_body: bool,
) -> Response:
    refuse_repeated(request)
    if takes_body:
        request = StrictRequest(request.scope, request.receive)
        if len(await request.body()) > _SMALL_BYTES:
            await in_worker_thread(entry.open)
        await request.read()
    return await handle(request)


def _guarded(endpoint: Endpoint) -> Callable[..., Awaitable[Response]]:
    """The endpoint as the framework is to see it: asking for the request, not for an entry."""
    awaits = iscoroutinefunction(endpoint)

    async def visit(request: Request, **values: Any) -> Response:
        entry: Entry = request.state.entry
        work = partial(endpoint, entry=entry, **values)
        answer = work() if awaits else in_worker_thread(partial(_enter, entry, work))
        answered: Response = await answer
        assert entry.is_open, "nobody was let in"  # noqa: S101 - a fault of ours
        return answered

    described = signature(endpoint)
    parameters = dict(described.parameters)
    parameters["entry"] = Parameter("request", Parameter.KEYWORD_ONLY, annotation=Request)
    visit.__signature__ = Signature(
        [each.replace(kind=Parameter.KEYWORD_ONLY) for each in parameters.values()],
        return_annotation=described.return_annotation,
    )
    visit.__name__, visit.__doc__ = endpoint.__name__, endpoint.__doc__
    return visit


def _enter(entry: Entry, work: Callable[[], Any]) -> Any:
    if not entry.is_open:
        entry.open()
    return work()


class AdminRoute(GuardedRoute):
    """Looking needs `read`, changing needs `admin`."""

    changing = Scope.ADMIN


class PipelineRoute(GuardedRoute):
    """Looking needs `read`, changing needs `write`."""

    changing = Scope.WRITE


class StrictPipelineRoute(PipelineRoute):
    """Likewise, of a surface all of whose parameters are told."""

    refuses_unknown = True


class StrictAdminRoute(AdminRoute):
    """Likewise, of such a surface."""

    refuses_unknown = True


class QuestionRoute(GuardedRoute):
    """A question that takes a body, hence a POST: `read` is enough."""

    changing = Scope.READ


class OperatorRoute(GuardedRoute):
    """Even looking needs `admin`."""

    reading = Scope.ADMIN
    changing = Scope.ADMIN


class StrictOperatorRoute(OperatorRoute):
    """Likewise, of a surface all of whose parameters are told."""

    refuses_unknown = True
