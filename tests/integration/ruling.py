"""Rules for tests."""

from typing import Any

from shared.models.rules import IngestionRule, RuleList

RULE: dict[str, Any] = {
    "container": "uploads",
    "path": "{dataset_id}/{resource_id}.tif",
    "client_type": "ddh",
    "client_refs": {"dataset_id": "{dataset_id}", "resource_id": "{resource_id}"},
}


def rule(name: str, **fields: Any) -> IngestionRule:
    """A rule that knows `uploads/<dataset_id>/<resource_id>.tif`, but for these fields."""
    return IngestionRule.model_validate({"name": name} | RULE | fields)


def rule_list(*rules: IngestionRule) -> RuleList:
    return RuleList(rules=list(rules))
