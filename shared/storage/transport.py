"""How requests reach the store: the SDK's own transport, but for two things."""

from contextlib import suppress
from typing import Any

import requests
from azure.core.exceptions import ServiceResponseError
from azure.core.pipeline.transport import RequestsTransport


class BlobTransport(RequestsTransport):
    """Requests to one storage account, whose answers have a whole head.

    An answer whose connection ended within its head is none here: http.client takes that for the
    end of the headers, and a blob would seem to have no metadata, no tier, no etag. The store sends
    `Date` in every answer, and last.

    What the environment says of proxies and certificates is read once, where the SDK reads it at
    each request, which takes longer than all else that a small request needs. Nor is a `.netrc`
    looked for: requests would put what it says in place of our own authorization.
    """

    def __init__(self, **options: Any) -> None:
        untyped: Any = super()
        untyped.__init__(use_env_settings=False, **options)
        self._environment: dict[str, Any] | None = None

    def send(self, request: Any, **options: Any) -> Any:
        """Raises a ServiceResponseError for an answer without a whole head: the SDK asks again."""
        if self._environment is None:
            self._environment = _environment(request.url)
        untyped: Any = super()
        answer: Any = None
        with suppress(ValueError):  # a length whose digits did not come
            answer = untyped.send(request, **{**self._environment, **_given(options)})
        if answer is not None:
            if answer.headers.get("Date", "").endswith("GMT"):
                return answer
            answer.internal_response.close()
        raise ServiceResponseError("The head of the answer was cut.")


def _environment(url: str) -> dict[str, Any]:
    with requests.Session() as session:
        found = session.merge_environment_settings(url, {}, None, None, None)
    return {"proxies": found["proxies"], "connection_verify": found["verify"]}


def _given(options: dict[str, Any]) -> dict[str, Any]:
    """Without what the SDK passes on as not given."""
    return {name: value for name, value in options.items() if value is not None}
