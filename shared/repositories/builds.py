"""Builds, their states and their resumes in PostgreSQL; writes are functions of the migrations."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar
from uuid import UUID

from psycopg import Connection
from psycopg.rows import DictRow
from psycopg.types.json import Jsonb
from pydantic import BaseModel

from shared.database.queries import load_queries
from shared.models.build_resumes import Resume, ResumeContext
from shared.models.build_states import StateAttempt
from shared.models.builds import Build, BuildFilter

Model = TypeVar("Model", bound=BaseModel)

_QUERIES = load_queries(__file__)


@dataclass(frozen=True)
class Told:
    """What came of telling something of a build; `about` is the state in the way."""

    outcome: str
    about: int | None = None
    attempt: StateAttempt | None = None
    build: Build | None = None
    resume: Resume | None = None
    missing: tuple[str, ...] = ()


class BuildRepository:
    """Every statement about builds. Never commits."""

    def __init__(self, connection: Connection[DictRow]) -> None:
        self._connection = connection

    def create(self, request: Mapping[str, Any]) -> tuple[Build, bool]:
        """Run `registry.create_build`: the build of that number, and whether it is new."""
        row = self._one("create", {"request": Jsonb(request)})
        return Build.model_validate_json(row["build"]), row["is_new"]

    def get(self, build_id: UUID) -> Build | None:
        row = self._connection.execute(_QUERIES["get"], {"build_id": build_id}).fetchone()
        return Build.model_validate_json(row["build"]) if row else None

    def page(
        self, wanted: BuildFilter, before: UUID, limit: int, looked_at: int
    ) -> list[tuple[UUID, Build | None]]:
        """Builds by id, newest first; None behind them where more may follow: see the function."""
        conditions = wanted.model_dump(mode="json") | {"run_name": wanted.build_number}
        del conditions["build_number"]
        rows = self._connection.execute(
            _QUERIES["page"],
            {
                "wanted": Jsonb(conditions),
                "before_id": before,
                "limit": limit,
                "looked_at": looked_at,
            },
        ).fetchall()
        return [(row["run_id"], _read(Build, row["build"])) for row in rows]

    def report_state(self, request: Mapping[str, Any]) -> Told:
        """Run `registry.report_state`."""
        return _told(self._one("report_state", {"request": Jsonb(request)}))

    def fail(self, request: Mapping[str, Any]) -> Told:
        """Run `registry.fail_build`."""
        return _told(self._one("fail", {"request": Jsonb(request)}))

    def states(
        self, build_id: UUID, before: int, limit: int
    ) -> list[tuple[int, StateAttempt | None]]:
        """Attempts by position, newest first; None behind them where more may follow."""
        parameters = {"build_id": build_id, "before_position": before, "limit": limit}
        rows = self._connection.execute(_QUERIES["states"], parameters).fetchall()
        return [(row["place"], _read(StateAttempt, row["attempt"])) for row in rows]

    def resume_context(self, build_id: UUID, at: datetime) -> ResumeContext | None:
        """Run `registry.resume_context`; None where there is no such build."""
        row = self._one("resume_context", {"build_id": build_id, "at": at})
        return _read(ResumeContext, row["context"])

    def resume(self, request: Mapping[str, Any]) -> Told:
        """Run `registry.resume_build`."""
        return _told(self._one("resume", {"request": Jsonb(request)}))

    def move_resume(self, request: Mapping[str, Any]) -> Told:
        """Run `registry.move_resume`."""
        return _told(self._one("move_resume", {"request": Jsonb(request)}))

    def get_resume(self, build_id: UUID, resume_id: UUID) -> Resume | None:
        parameters = {"build_id": build_id, "resume_id": resume_id}
        row = self._connection.execute(_QUERIES["get_resume"], parameters).fetchone()
        return Resume.model_validate_json(row["resume"]) if row else None

    def resumes(self, build_id: UUID, before: UUID, limit: int) -> list[Resume]:
        """Resumes of a build, newest first."""
        parameters = {"build_id": build_id, "before_id": before, "limit": limit}
        rows = self._connection.execute(_QUERIES["resumes"], parameters).fetchall()
        return [Resume.model_validate_json(row["resume"]) for row in rows]

    def _one(self, name: str, parameters: Mapping[str, Any]) -> DictRow:
        row = self._connection.execute(_QUERIES[name], parameters).fetchone()
        assert row is not None  # noqa: S101 - each of these answers with one row
        return row


def _told(row: Mapping[str, Any]) -> Told:
    return Told(
        outcome=row["outcome"],
        about=row.get("about"),
        attempt=_read(StateAttempt, row.get("attempt")),
        build=_read(Build, row.get("build")),
        resume=_read(Resume, row.get("resume")),
        missing=tuple(row.get("missing") or ()),
    )


def _read(kind: type[Model], told: str | None) -> Model | None:
    return kind.model_validate_json(told) if told else None
