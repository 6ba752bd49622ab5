"""What is asked of plans: the named queries, and what each is asked with."""

import hashlib
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

from shared.database.queries import load_queries
from shared.repositories import artifacts

NOW = datetime(2026, 6, 1, tzinfo=UTC)
WRITES = {
    "api_keys.add",
    "api_keys.change_expiry",
    "api_keys.limit_waiting",
    "api_keys.record_event",
    "api_keys.revoke",
    "artifacts.prepare_one_by_one",
    "artifacts.register_batch",
    "attempts.limit_waiting",
    "attempts.record",
    "backfills.advance",
    "backfills.begin",
    "backfills.forget",
    "backfills.forget_unhashed",
    "backfills.record_hash",
    "backfills.register_listed",
    "build_dashboard.fold_changes",
    "build_variables.put",
    "build_variables.remove",
    "builds.create",
    "builds.fail",
    "builds.move_resume",
    "documents.limit_waiting",
    "documents.record_events",
    "holds.place",
    "holds.release",
    "idempotency.claim",
    "idempotency.keep",
    "policies.limit_waiting_for_actors",
    "policy_actions.send_now",
    "policy_actions.settle",
    "policy_runs.begin",
    "policy_runs.record_dry_run",
    "projects.put",
    "projects.remove",
    "rehydrations.end",
    "rehydrations.record_verification",
    "rehydrations.request",
    "rehydrations.verify_later",
    "set_aside.begin_replay",
    "set_aside.discard",
    "set_aside.end_replay",
    "set_aside.open_again",
    "set_aside.set_aside",
    "statistics.fold_changes",
    "trail.begin_writing",
    "trail.end_writing",
    "trail.forget_waiting",
    "trail.limit_waiting",
    "trail.lock_end",
    "trail.take_end",
    "trail_proof.close_day",
    "trail_proof.keep_seal",
    "trail_retention.begin_drop",
    "trail_retention.end_drop",
    "trail.record_recovery",
    "trail_retention.record_export",
    "trail_retention.remove_digests",
    "trail_retention.undo_drop",
    "transitions.move_processing",
}
"""Statements that change what their parameters name, by key; all others have cases below."""


@dataclass(frozen=True)
class Case:
    """A query, what it is asked, and how much it may look at, whatever the registry holds."""

    query: str
    parameters: dict[str, Any] = field(default_factory=dict[str, Any])
    rows: int = 0
    """Of tables; index entries may be read for each some times over."""
    shortlists: int = 0
    """Times `registry.shortlist_limit()` that is allowed on top."""


def statements() -> dict[str, bytes]:
    """Every named query of every repository, as `file.name`."""
    files = sorted(Path(artifacts.__file__).parent.glob("*.sql"))
    return {
        f"{file.stem}.{name}": statement
        for file in files
        for name, statement in load_queries(str(file)).items()
    }


def identifier(text: str) -> UUID:
    """The id that PostgreSQL's `md5(text)::uuid` gives."""
    return UUID(hashlib.md5(text.encode(), usedforsecurity=False).hexdigest())
