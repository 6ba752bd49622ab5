"""The documentation surface: the OpenAPI document and a page that shows it, for anyone."""

import json
from functools import cache
from importlib.resources import files
from typing import Any

from fastapi import APIRouter, HTTPException, Request, Response

from functions.http.openapi import build_openapi

DOCUMENT_PATH = "/api/openapi.json"
PAGE_PATH = "/api/docs"

_PACKAGE = "fastapi_offline"
"""Brings the files of Swagger UI; nothing else of it is used."""
_MEDIA_TYPES = {"swagger-ui-bundle.js": "text/javascript", "swagger-ui.css": "text/css"}
_START = f"""\
window.onload = () => SwaggerUIBundle({{
  url: "{DOCUMENT_PATH}",
  dom_id: "#documentation",
  deepLinking: true,
  validatorUrl: null,
}});
"""
_PAGE = f"""\
<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Artifact registry</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="{PAGE_PATH}/swagger-ui.css">
</head>
<body>
<div id="documentation"></div>
<script src="{PAGE_PATH}/swagger-ui-bundle.js"></script>
<script src="{PAGE_PATH}/start.js"></script>
</body>
</html>
"""
_OWN_ORIGIN_ONLY = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; connect-src 'self'; "
    "style-src 'self' 'unsafe-inline'; img-src 'self' data:; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'none'"
}
"""The page and all that it loads come from here, whatever the document may hold."""

_DOCUMENT_ANSWER: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "The document.",
        "content": {"application/json": {"schema": {"type": "object"}}},
    }
}

router = APIRouter(tags=["documentation"])


@router.get(DOCUMENT_PATH, operation_id="documentation_get_openapi", responses=_DOCUMENT_ANSWER)
def get_document(request: Request) -> Response:
    """This document."""
    state = request.app.state
    if not hasattr(state, "openapi"):  # made once; twice at worst, and equal
        state.openapi = json.dumps(build_openapi(request.app.routes)).encode()
    return Response(state.openapi, media_type="application/json")


@router.get(PAGE_PATH, include_in_schema=False)
async def get_page() -> Response:
    """A page that shows the document."""
    return Response(_PAGE, media_type="text/html", headers=_OWN_ORIGIN_ONLY)


@router.get(f"{PAGE_PATH}/{{name}}", include_in_schema=False)
def get_asset(name: str) -> Response:
    """A file that the page loads."""
    if name == "start.js":
        return Response(_START, media_type="text/javascript", headers=_OWN_ORIGIN_ONLY)
    if name not in _MEDIA_TYPES:
        raise HTTPException(404)
    return Response(_read_asset(name), media_type=_MEDIA_TYPES[name], headers=_OWN_ORIGIN_ONLY)


@cache
def _read_asset(name: str) -> bytes:
    return files(_PACKAGE).joinpath("static", name).read_bytes()
