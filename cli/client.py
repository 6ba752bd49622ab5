"""The registry's HTTP API, as the commands call it; imported when one does."""

from collections.abc import Mapping, Sequence
from typing import Self
from urllib.parse import quote
from urllib.request import getproxies, proxy_bypass

import httpx
from httpx_retries import Retry, RetryTransport
from pydantic import TypeAdapter, ValidationError

from cli.connection import Connection
from cli.exchange import Answer, JsonObject, NoRegistry, Refused, Unreachable

_OBJECT = TypeAdapter(JsonObject)
_OBJECTS = TypeAdapter(list[JsonObject])
_TIMEOUT = httpx.Timeout(240, connect=10)
"""Seconds; Azure ends every request after 230."""
_RETRY = Retry(
    total=3,
    # These may be repeated: registrations carry an idempotency key, changes end alike.
    allowed_methods=["GET", "POST", "PUT", "PATCH", "DELETE"],
    backoff_factor=0.25,
    max_backoff_wait=30,
    total_timeout=60,
)

_RETRY_CONDITIONAL = Retry(
    total=3,
    allowed_methods=["PATCH", "POST", "PUT", "DELETE"],
    # Never where the answer alone may be lost: the state would be another then, by our own doing.
    status_forcelist=[429, 503],
    retry_on_exceptions=[httpx.ConnectError, httpx.ConnectTimeout],
    backoff_factor=0.25,
    max_backoff_wait=30,
    total_timeout=60,
)


class RegistryClient:
    """Asks one registry, with one credential."""

    def __init__(self, connection: Connection) -> None:
        self._url = connection.url
        self._client = httpx.Client(
            base_url=connection.url,
            headers={"Accept": "application/json", **connection.credential},
            transport=RetryTransport(_transport(connection)),
            timeout=_TIMEOUT,
            follow_redirects=False,  # a credential goes nowhere but where it was meant to go
            trust_env=False,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._client.close()

    def ask(
        self,
        method: str,
        segments: Sequence[str],
        *,
        parameters: Mapping[str, str] | None = None,
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        is_repeatable: bool = True,
        is_list: bool = False,
    ) -> Answer:
        """Send one request, again where that may help and does no harm.

        A bare list, where one is the answer, comes as other lists do: as a page of `items`.
        Raises Refused, Unreachable and NoRegistry.
        """
        path = "/".join(quote(segment, safe="") for segment in segments)
        typed = {} if body is None else {"Content-Type": "application/json"}
        sent = {**typed, **(headers or {})}
        retry = _RETRY if is_repeatable and "If-Match" not in sent else _RETRY_CONDITIONAL
        try:
            response = self._client.request(
                method,
                path,
                params=parameters,
                content=body,
                headers=sent,
                extensions={"retry": retry},
            )
        except httpx.TransportError as error:
            raise Unreachable(f"{self._url} cannot be reached: {error}") from error
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise NoRegistry(f"{self._url} answers nothing that can be read: {error}") from error
        return self._read(response, is_list=is_list)

    def _read(self, response: httpx.Response, *, is_list: bool) -> Answer:
        if response.is_redirect:
            raise NoRegistry(f"{self._url} answers with a redirect, which is not followed")
        is_page = is_list and response.is_success
        body = _page(response) if is_page else _object(response)
        if response.is_success and body is not None:
            return Answer(response.status_code, body, response.headers.get("ETag"))
        if body is None or "type" not in body:
            raise self._without_problem(response)
        raise Refused(response.status_code, body)

    def _without_problem(self, response: httpx.Response) -> Exception:
        """A gateway in between answers in its own way; elsewhere it is no registry."""
        status = response.status_code
        if status in {401, 403, 429, 502, 503, 504}:
            return Refused(status, {"title": f"HTTP {status}", "detail": response.reason_phrase})
        return NoRegistry(f"{self._url} answers HTTP {status}, but not as a registry does")


def _object(response: httpx.Response) -> JsonObject | None:
    try:
        return _OBJECT.validate_json(response.content)
    except ValidationError:
        return None


def _page(response: httpx.Response) -> JsonObject | None:
    """Where more follow, a link says so (RFC 8288); of it only the cursor is taken."""
    try:
        following = httpx.URL(response.links.get("next", {}).get("url", ""))
        items = _OBJECTS.validate_json(response.content)
    except (ValidationError, httpx.InvalidURL):
        return None
    return {"items": [*items], "next": following.params.get("cursor")}


def _transport(connection: Connection) -> httpx.HTTPTransport:
    url = httpx.URL(connection.url)
    if connection.is_local or proxy_bypass(url.host):
        return httpx.HTTPTransport()
    return httpx.HTTPTransport(proxy=getproxies().get(url.scheme))
