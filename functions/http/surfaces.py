"""One HTTP function for each surface, so that each can be secured, disabled and metered alone."""

from uuid import uuid4

import azure.functions as func

from functions.http.app import build_app
from functions.http.function_requests import prepare
from functions.http.problems import http_problem, problem_body
from functions.invocations import traced_run
from shared import bootstrap

bp = func.Blueprint()

_ANY_METHOD = tuple(func.HttpMethod)
"""The host answers a wrong method with an empty 404; the application says 405 and why."""
_MIDDLEWARE = func.AsgiMiddleware(build_app(bootstrap.registry))


@bp.function_name("admin")
@bp.route("api/admin/{*path}", methods=_ANY_METHOD, auth_level=func.AuthLevel.ANONYMOUS)
async def admin(req: func.HttpRequest, context: func.Context) -> func.HttpResponse:
    """What operators look at; keys are the registry's own."""
    return await serve(_MIDDLEWARE, req, context)


@bp.function_name("artifacts")
@bp.route("api/v1/{*path}", methods=_ANY_METHOD, auth_level=func.AuthLevel.ANONYMOUS)
async def artifacts(req: func.HttpRequest, context: func.Context) -> func.HttpResponse:
    """What pipelines call; keys are the registry's own."""
    return await serve(_MIDDLEWARE, req, context)


@bp.function_name("builds")
@bp.route("api/builds/{*path}", methods=_ANY_METHOD, auth_level=func.AuthLevel.ANONYMOUS)
async def builds(req: func.HttpRequest, context: func.Context) -> func.HttpResponse:
    """What build servers call; keys are the registry's own."""
    return await serve(_MIDDLEWARE, req, context)


@bp.function_name("docs")
@bp.route("api/docs/{*path}", methods=_ANY_METHOD, auth_level=func.AuthLevel.ANONYMOUS)
async def docs(req: func.HttpRequest, context: func.Context) -> func.HttpResponse:
    """The page that shows the API's documentation."""
    return await serve(_MIDDLEWARE, req, context)


@bp.function_name("health")
@bp.route("api/health/{*path}", methods=_ANY_METHOD, auth_level=func.AuthLevel.ANONYMOUS)
async def health(req: func.HttpRequest, context: func.Context) -> func.HttpResponse:
    """Liveness and readiness."""
    return await serve(_MIDDLEWARE, req, context)


@bp.function_name("openapi")
@bp.route("api/openapi.json", methods=_ANY_METHOD, auth_level=func.AuthLevel.ANONYMOUS)
async def openapi(req: func.HttpRequest, context: func.Context) -> func.HttpResponse:
    """The API's documentation for programs."""
    return await serve(_MIDDLEWARE, req, context)


async def serve(
    middleware: func.AsgiMiddleware, request: func.HttpRequest, context: func.Context
) -> func.HttpResponse:
    """Answer a request of the host's. The application itself raises nothing."""
    try:
        with traced_run(context):
            return await middleware.handle_async(prepare(request), context)
    except ValueError:
        # The middleware cannot make a request of it: a path that is not UTF-8, an odd Host header.
        body = problem_body(
            http_problem(400),
            str(context.invocation_id or uuid4()),
            "The URL or a header cannot be read.",
            {},
        )
        return func.HttpResponse(body, status_code=400, mimetype="application/problem+json")
