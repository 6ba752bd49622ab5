"""Answers of the store whose head came as a whole."""

from contextlib import suppress
from typing import Any

from azure.core.exceptions import ServiceResponseError
from azure.core.pipeline.transport import RequestsTransport


class WholeHeads(RequestsTransport):
    """The SDK's own transport, but for an answer whose connection ended within its head.

    http.client takes that for the end of the headers: a blob would seem to have no metadata, no
    tier, no etag. The store sends `Date` in every answer, and last.
    """

    def send(self, request: Any, **options: Any) -> Any:
        """Raises a ServiceResponseError for such an answer, after which the SDK asks again."""
        sent: Any = super()  # the SDK's types say nothing of its answers
        answer: Any = None
        with suppress(ValueError):  # a length whose digits did not come
            answer = sent.send(request, **options)
        if answer is not None:
            if answer.headers.get("Date", "").endswith("GMT"):
                return answer
            answer.internal_response.close()
        raise ServiceResponseError("The head of the answer was cut.")
