"""What each operation of the API is about, in the audit trail's words.

By the operation's id in the documentation: a request that was refused or failed is told of as what
it would have been.
"""

from collections.abc import Mapping
from types import MappingProxyType

from shared.models.attempts import Doing

_CREATE = Doing("artifact_creation", "create")
_UPDATE = Doing("metadata_update", "update")
_DELETE = Doing("status_update", "delete")
_VERIFY = Doing("verified", "verify")
_REPLAY = Doing("message_replay_asked", "ask")

CHANGING: Mapping[str, Doing] = MappingProxyType(
    {
        "artifacts_register_artifact": _CREATE,
        "artifacts_register_batch": _CREATE,
        "artifacts_update_artifact": _UPDATE,
        "builds_create_build": Doing("build_created", "create"),
        "builds_fail_build": Doing("build_failed", "fail"),
        "builds_report_state": Doing("build_state", "change"),
        "builds_resume_build": Doing("build_resumed", "resume"),
        "builds_change_resume": Doing("build_resume_status", "change"),
        "builds_set_variable": Doing("build_variable_set", "set"),
        "builds_remove_variable": Doing("build_variable_removed", "remove"),
        "builds_register_build_artifact": _CREATE,
        "builds_update_build_artifact": _UPDATE,
        "builds_delete_build_artifact": _DELETE,
        "builds_verify_build_artifact": _VERIFY,
        "artifacts_verify_artifact": _VERIFY,
        "builds_put_project": Doing("project_changed", "change"),
        "builds_remove_project": Doing("project_removed", "remove"),
        "admin_update_metadata": _UPDATE,
        "admin_delete_artifact": _DELETE,
        "admin_archive_artifact": Doing("status_update", "archive"),
        "admin_purge_artifact": Doing("status_update", "purge"),
        "admin_rehydrate_artifact": Doing("rehydrate_requested", "rehydrate"),
        "keys_create_key": Doing("key_created", "create"),
        "keys_change_expiry": Doing("key_expiry_changed", "change"),
        "keys_revoke_key": Doing("key_revoked", "revoke"),
        "keys_rotate_key": Doing("key_rotated", "rotate"),
        "rules_apply_rules": Doing("rule_changed", "change"),
        "rules_put_rule": Doing("rule_changed", "change"),
        "rules_remove_rule": Doing("rule_removed", "remove"),
        "policies_apply_policies": Doing("policy_changed", "change"),
        "policies_create_policy": Doing("policy_created", "create"),
        "policies_put_policy": Doing("policy_changed", "change"),
        "policies_remove_policy": Doing("policy_removed", "remove"),
        "policies_run_policy": Doing("policy_run", "run"),
        "holds_place_hold": Doing("hold_placed", "place"),
        "holds_release_hold": Doing("hold_released", "release"),
        "failures_replay_failures": _REPLAY,
        "failures_replay_failure": _REPLAY,
        "failures_discard_failure": Doing("message_discarded", "discard"),
    }
)
"""Every operation that changes anything."""

READING = frozenset(
    {
        "artifacts_get_artifact",
        "builds_get_build_artifact",
        "admin_get_artifact",
        "admin_get_by_stac",
        "admin_get_by_references",
    }
)
"""Every operation that answers with one artifact."""
