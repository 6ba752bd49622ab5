"""What the surface of builds answers with beyond its models."""

from collections.abc import Collection, Mapping, Sequence
from urllib.parse import urlencode

from fastapi import Request, Response
from pydantic import BaseModel, ConfigDict
from pydantic_core import to_json

LINK = ["Link"]


class RemovedAnswer(BaseModel):
    """What is there no more, by name."""

    model_config = ConfigDict(defer_build=True)

    removed: str


def array_answer(
    request: Request,
    items: Sequence[BaseModel],
    cursor: str | None,
    filters: Collection[str] = (),
) -> Response:
    """A bare array, as the source document has it; where more follows, a `Link` (RFC 8288) to it.

    The link is a query alone: that holds whatever a gateway makes of the path.
    """
    return Response(to_json(items), 200, _link(request, cursor, filters), "application/json")


def _link(request: Request, cursor: str | None, filters: Collection[str]) -> Mapping[str, str]:
    if cursor is None:
        return {}
    asked = {name: request.query_params.get(name) for name in ("limit", *filters)}
    query = {name: text for name, text in asked.items() if text} | {"cursor": cursor}
    return {"Link": f'<?{urlencode(query)}>; rel="next"'}
