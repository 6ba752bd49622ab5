"""The HTTP trigger: requests in as the worker gets them, responses back as the host sends them."""

import logging
from collections.abc import Iterable

from azure.functions.meta import Datum
from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse, Response
from starlette.types import Receive, Scope, Send

from devhost.host.model import Invoker, TriggerInput
from devhost.host.paths import decode_path, encode_path
from devhost.host.routes import RouteTable

MOST_BODY_BYTES = 100 * 1024 * 1024
"""The host refuses larger requests (`FUNCTIONS_REQUEST_BODY_SIZE_LIMIT` by default)."""

_HOSTS_OWN = ("/admin", "/runtime")
_WITHOUT_BODY = frozenset({204, 304})
_FRAMING = frozenset({"content-length", "transfer-encoding"})

_log = logging.getLogger(__name__)


class HttpApp:
    """The ASGI application that stands in front of the HTTP functions.

    Keys are not checked, as Core Tools does not check them either.
    """

    def __init__(self, routes: RouteTable, invoker: Invoker) -> None:
        self._routes = routes
        self._invoker = invoker

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        response = await self._respond(Request(scope, receive))
        await response(scope, receive, send)

    async def _respond(self, request: Request) -> Response:
        try:
            path = decode_path(request.scope["raw_path"])
        except ValueError:
            return Response(status_code=400)
        found = None if _is_hosts_own(path) else self._routes.find(request.method, path)
        if found is None:
            return Response(status_code=404)
        try:
            body = await _read_body(request)
        except ClientDisconnect:
            return Response(status_code=400)  # nobody is there to read it
        if body is None:
            return Response(status_code=413)
        route, parameters = found
        trigger = TriggerInput("http", _encode_request(request, path, parameters, body))
        result = await self._invoker.invoke(route.function, trigger)
        return _render(result.returned) if result.succeeded else Response(status_code=500)


def _is_hosts_own(path: str) -> bool:
    return any(f"{path.lower()}/".startswith(f"{own}/") for own in _HOSTS_OWN)


async def _read_body(request: Request) -> bytes | None:
    """The body as the worker gets it; None when it is larger than the host takes."""
    length = int(request.headers.get("content-length", 0))
    if length > MOST_BODY_BYTES:
        return None
    if length:
        return await request.body()
    if "transfer-encoding" in request.headers:
        _log.warning(
            "%s %s: a chunked body never reaches a function; it is empty. Send Content-Length.",
            request.method,
            request.url.path,
        )
        async for _ in request.stream():  # so that the connection can be used again
            pass
    return b""


def _encode_request(
    request: Request, path: str, parameters: dict[str, str], body: bytes
) -> dict[str, object]:
    query = f"?{request.url.query}" if request.url.query else ""
    url = f"{request.url.scheme}://{request.url.netloc}{encode_path(path)}{query}"
    given = _join_repeated(request.query_params.multi_items())
    return {
        "method": Datum(request.method, "string"),
        "url": Datum(url, "string"),
        "headers": _texts(_join_repeated(request.headers.items())),
        "query": _texts({name: value for name, value in given.items() if value}),
        "params": _texts(parameters),
        "body": Datum(body, "bytes"),
    }


def _join_repeated(pairs: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Values of one name, whatever its case, joined by commas; empty ones are left out of it."""
    joined: dict[str, str] = {}
    spelling: dict[str, str] = {}
    for name, value in pairs:
        known = spelling.setdefault(name.lower(), name)
        joined[known] = ",".join(part for part in (joined.get(known, ""), value) if part)
    return joined


def _texts(values: dict[str, str]) -> dict[str, Datum]:
    return {name: Datum(value, "string") for name, value in values.items()}


def _render(returned: Datum | None) -> Response:
    """What the function answered; a function without an HTTP output answers 204."""
    if returned is None:
        return Response(status_code=204)
    if returned.type == "string":
        return PlainTextResponse(returned.value)
    status = int(returned.value["status_code"].value)
    response = Response(
        content=None if status in _WITHOUT_BODY else returned.value["body"].value,
        status_code=status,
        headers={
            name: datum.value
            for name, datum in returned.value["headers"].items()
            if name.lower() not in _FRAMING
        },
    )
    for cookie in returned.value["cookies"] or ():
        for morsel in cookie.values():
            response.raw_headers.append((b"set-cookie", morsel.OutputString().encode("latin-1")))
    return response
