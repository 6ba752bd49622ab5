"""What surrounds every request, whatever its route: an id, a limit, and a last resort."""

import logging

from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from uuid_utils import uuid4

from functions.http.problems import BODY_TOO_LARGE, INTERNAL_ERROR, problem_response

MAXIMUM_BODY_BYTES = 1024 * 1024

_EVERYWHERE = ((b"cache-control", b"no-store"), (b"x-content-type-options", b"nosniff"))

_LOGGER = logging.getLogger(__name__)


class RequestIds:
    """Names each request as the host does, where it does, so that its logs and ours meet.

    Forbids caches as well, which know nothing of `X-API-Key` and would answer for anyone; and
    guesses at the kind of an answer, which may hold what anybody wrote.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request_id = str(scope.get("azure_functions.invocation_id") or uuid4())
        named = ((b"x-request-id", request_id.encode()), *_EVERYWHERE)
        scope["state"] = dict(scope.get("state") or {}) | {"request_id": request_id}

        async def send_named(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message["headers"], *named]
            await send(message)

        await self._app(scope, receive, send_named)


class LastResort:
    """Answers for what nobody foresaw; the log says what it was, the answer does not.

    The frameworks' own handler raises again after it has answered, which an Azure Functions host
    turns into an empty answer: hence one that does not.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await self._app(scope, receive, send)
        except Exception:
            request = Request(scope)
            _LOGGER.exception("request failed: request_id=%s", request.state.request_id)
            detail = "Something failed within the registry. The instance finds it in the logs."
            await problem_response(request, INTERNAL_ERROR, detail)(scope, receive, send)


class BodyLimit:
    """Refuses large bodies before anything reads them; what passes is buffered once.

    Starlette's own limit lets a route that does not read its body run first, and its answer is
    plain text.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        body = await _read_body(receive)
        if body is None:
            detail = f"A body has at most {MAXIMUM_BODY_BYTES} bytes."
            await problem_response(Request(scope), BODY_TOO_LARGE, detail)(scope, receive, send)
            return
        pending: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

        async def receive_again() -> Message:
            return pending.pop() if pending else await receive()

        await self._app(scope, receive_again, send)


async def _read_body(receive: Receive) -> bytes | None:
    """The whole body, or what came of it before the sender hung up; None where it is too large."""
    body = bytearray()
    while True:
        message = await receive()
        body += message.get("body", b"")
        if len(body) > MAXIMUM_BODY_BYTES:
            return None
        if not message.get("more_body", False):
            return bytes(body)
