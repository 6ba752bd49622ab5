"""Requests as the host hands them over, made fit for `azure.functions.AsgiMiddleware`."""

from urllib.parse import urlsplit, urlunsplit

import azure.functions as func


def prepare(request: func.HttpRequest) -> func.HttpRequest:
    """The same request, with what the middleware or a route would get wrong set right.

    - The middleware takes what follows `;` in the last segment off the path: encoded, it stays.
    - The host ignores a slash at the end when it matches routes; so do we.
    - HEAD is answered like GET; the host leaves the body out.

    Raises ValueError where the URL cannot be read.
    """
    parts = urlsplit(request.url)
    path = parts.path.rstrip("/").replace(";", "%3B")
    return func.HttpRequest(
        "GET" if request.method == "HEAD" else request.method,
        urlunsplit(parts._replace(path=path)),
        headers=dict(request.headers),
        params=dict(request.params),
        route_params=dict(request.route_params),
        body=request.get_body(),
    )
