"""The health surface: for probes, so without a key, and without a word on what is inside."""

import logging
from typing import Literal

from fastapi import APIRouter, Response
from pydantic import BaseModel

from functions.http.dependencies import RegistryProvider
from functions.http.handlers import RETRY_AFTER_SECONDS
from shared.errors import RegistryError
from shared.models.audit import TrailBacklog

State = Literal["ok", "unavailable"]

_BACKLOG_SECONDS = 2.0
_LOGGER = logging.getLogger(__name__)


class LivenessAnswer(BaseModel):
    """The process answers."""

    status: Literal["ok"] = "ok"


class CheckAnswer(BaseModel):
    """Whether one dependency can be reached."""

    status: State


class ReadinessAnswer(BaseModel):
    """Whether requests can be served; `checks` has what that depends on, by name."""

    status: State
    checks: dict[str, CheckAnswer]
    audit: TrailBacklog | None = None
    """How far the audit trail is behind; it keeps nothing from being served. Null where the
    database cannot say."""


router = APIRouter(prefix="/api/health", tags=["health"])


@router.get("/live")
async def get_liveness() -> LivenessAnswer:
    """Touches nothing, so that a fault elsewhere never restarts the app."""
    return LivenessAnswer()


@router.get("/ready", responses={503: {"model": ReadinessAnswer}})
def get_readiness(registry: RegistryProvider, response: Response) -> ReadinessAnswer:
    """200 when every dependency answers in time, else 503."""
    checks = _run_checks(registry)
    is_ready = bool(checks) and all(checks.values())
    if not is_ready:
        response.status_code = 503
        response.headers["Retry-After"] = str(RETRY_AFTER_SECONDS)
    answers = {name: CheckAnswer(status=_state(passed)) for name, passed in checks.items()}
    audit = _audit_backlog(registry) if checks.get("database") else None
    return ReadinessAnswer(status=_state(is_ready), checks=answers, audit=audit)


def _run_checks(registry: RegistryProvider) -> dict[str, bool]:
    try:
        return registry().health.check()
    except Exception:
        # An app that is not configured cannot even ask; it is not ready, and not a fault.
        _LOGGER.exception("the registry cannot be built")
        return {}


def _audit_backlog(registry: RegistryProvider) -> TrailBacklog | None:
    try:
        return registry().audit.relay.backlog(_BACKLOG_SECONDS)
    except RegistryError:
        _LOGGER.warning("the backlog of the audit trail is unknown", exc_info=True)
        return None


def _state(is_well: bool) -> State:
    return "ok" if is_well else "unavailable"
