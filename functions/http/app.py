"""The one ASGI application behind every HTTP function."""

from collections.abc import Callable

from fastapi import FastAPI
from starlette.middleware import Middleware

from functions.http import (
    admin,
    admin_changes,
    admin_duplicates,
    artifacts,
    audit,
    build_artifacts,
    build_projects,
    build_resumes,
    build_states,
    build_variables,
    builds,
    documentation,
    failures,
    figures,
    health,
    holds,
    integrity,
    keys,
    policies,
    policy_forecasts,
    policy_runs,
    rehydration,
    rules,
)
from functions.http.attempts import Attempts
from functions.http.handlers import add_handlers
from functions.http.middleware import BodyLimit, LastResort, RequestIds
from functions.http.visits import Visits
from shared.bootstrap import Registry

_ROUTERS = (
    artifacts.router,  # routes are looked through in this order
    artifacts.questions,
    build_projects.router,  # before those that would take `projects` for an id
    build_states.router,
    build_artifacts.router,
    build_resumes.router,
    build_variables.router,
    builds.router,
    admin_duplicates.router,
    admin_changes.router,
    rehydration.router,
    integrity.router,
    integrity.reports,
    admin.router,
    keys.router,
    audit.router,
    rules.questions,
    rules.router,
    policies.router,
    failures.router,
    failures.bodies,
    holds.router,
    policy_runs.router,
    policy_runs.runs,
    policy_forecasts.questions,
    policy_forecasts.router,
    figures.router,
    health.router,
    documentation.router,
)


def build_app(registry: Callable[[], Registry]) -> FastAPI:
    """An application that asks for the registry when a request first needs it."""
    app = FastAPI(
        title="Artifact registry",
        openapi_url=None,  # the documentation surface has its own
        redirect_slashes=False,  # behind the host, a redirect would name the wrong address
        # Its spans would tell of names in addresses, and its logs of what exceptions say.
        telemetry={"tracing": False, "logs": False},
        middleware=[Middleware(each) for each in (RequestIds, Attempts, LastResort, BodyLimit)],
    )
    app.state.registry = registry
    app.state.visits = Visits()
    add_handlers(app)
    for router in _ROUTERS:
        # As they are: inclusion would make every route anew, at the first request.
        app.router.routes.extend(router.routes)
    return app
