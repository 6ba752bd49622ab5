"""The one ASGI application behind every HTTP function."""

from collections.abc import Callable

from fastapi import FastAPI
from starlette.middleware import Middleware

from functions.http import admin, health
from functions.http.handlers import add_handlers
from functions.http.middleware import BodyLimit, LastResort, RequestIds
from shared.bootstrap import Registry


def build_app(registry: Callable[[], Registry]) -> FastAPI:
    """An application that asks for the registry when a request first needs it."""
    app = FastAPI(
        title="Artifact registry",
        openapi_url=None,
        redirect_slashes=False,  # behind the host, a redirect would name the wrong address
        middleware=[Middleware(RequestIds), Middleware(LastResort), Middleware(BodyLimit)],
    )
    app.state.registry = registry
    add_handlers(app)
    app.include_router(admin.router)
    app.include_router(health.router)
    return app
