"""What is logged, and who is told of what."""

import re
from dataclasses import dataclass
from typing import Any

from infra.check.plan import Plan, Resource
from infra.check.rules.complaints import Complaints, Rule
from infra.check.rules.demands import ACCOUNT, SERVER, VAULT

_LOGS = "Microsoft.Insights/diagnosticSettings"
_QUERY = "Microsoft.Insights/scheduledQueryRules"
_METRIC = "Microsoft.Insights/metricAlerts"
_WATCHED = (
    f"{ACCOUNT}/blobServices",
    f"{ACCOUNT}/queueServices",
    f"{ACCOUNT}/tableServices",
    SERVER,
    VAULT,
    "Microsoft.EventGrid/systemTopics",
)
_NEEDED_LOGS = {VAULT: {"AuditEvent"}, SERVER: {"PostgreSQLLogs"},
                "Microsoft.EventGrid/systemTopics": {"DeliveryFailures"}}  # fmt: skip
_AUDIT = {"StorageRead", "StorageWrite", "StorageDelete"}


@dataclass(frozen=True)
class _Query:
    pattern: str
    measured: str = "Maximum"
    """What of the column `value` is looked at; for `Count`, how many lines there are."""
    apart: bool = False
    """Whether each queue is looked at by itself."""


QUERIES = {
    "set-aside": _Query(r'what == "set-aside".*value = messages'),
    "poison": _Query(r'what endswith "-poison".*value = messages', apart=True),
    "queue-age": _Query(r'what !endswith "-poison" and what !in .*value = oldest', apart=True),
    "audit-lag": _Query(r'what == "audit-trail".*value = oldest'),
    "silence": _Query(r"depth measured: ", "Count"),
    "http-5xx": _Query(r'AppRequests.*ResultCode startswith "5".*value = ItemCount', "Total"),
}
METRICS = {
    "database-connections": ("active_connections", SERVER),
    "database-storage": ("storage_percent", SERVER),
    "database-cpu": ("cpu_percent", SERVER),
    "events-given-up": ("DeadLetteredCount", "Microsoft.EventGrid/systemTopics"),
    "events-lost": ("DroppedEventCount", "Microsoft.EventGrid/systemTopics"),
    "events-undelivered": ("DeliveryAttemptFailCount", "Microsoft.EventGrid/systemTopics"),
}
_DEPTHS = "depth measured: of="


def diagnostic_settings(plan: Plan) -> Complaints:
    """What nobody logs, nobody can find out afterwards."""
    logged = {each.scope: each for each in plan.of(_LOGS)}
    workspaces = {
        f"{one.address}.id" for one in plan.of("Microsoft.OperationalInsights/workspaces")
    }
    for each in plan.of(*_WATCHED):
        logs = logged.get(each.address)
        if logs is None or logs.at("properties.workspaceId") not in workspaces:
            yield each, "nothing of it goes to the workspace"
            continue
        enabled = _enabled(logs, "logs")
        needed = _NEEDED_LOGS.get(each.type, set[str]())
        if each.address.startswith("auditStorage/") and not each.type.endswith("queueServices"):
            needed = _AUDIT
        if each.type.endswith("blobServices"):
            needed = needed | {"StorageDelete"}
        if needed - enabled:
            yield logs, f"{', '.join(sorted(needed - enabled))} is not logged"
        if not _enabled(logs, "metrics"):
            yield logs, "metrics are not kept"


def _enabled(logs: Resource, kind: str) -> set[str]:
    entries = logs.objects(f"properties.{kind}")
    return {str(each.get("category")) for each in entries if each.get("enabled") is True}


def needed_alerts(plan: Plan) -> Complaints:
    """Each of these is a way to lose something without anybody noticing."""
    queries = {_kind(each): each for each in plan.of(_QUERY)}
    metrics = {_kind(each): each for each in plan.of(_METRIC)}
    for name, wanted in QUERIES.items():
        alert = queries.get(name)
        if alert is None or not re.search(
            wanted.pattern, str(_criteria(alert).get("query")), re.DOTALL
        ):
            yield alert, f"nobody is told of {name}: {wanted.pattern}"
        elif name != "http-5xx" and _DEPTHS not in str(_criteria(alert).get("query")):
            yield alert, f"{name} does not read what measure_depths writes"
        else:
            yield from _measured(alert, wanted)
    for name, (metric, type_) in METRICS.items():
        alert = metrics.get(name)
        if alert is None or _criteria(alert).get("metricName") != metric:
            yield alert, f"nobody is told of {name}, by {metric}"
        elif {_type(plan, one) for one in alert.texts("properties.scopes")} != {type_}:
            yield alert, f"{name} watches something else than a {type_}"
        elif _criteria(alert).get("metricNamespace") != type_:
            yield alert, f"{metric} is a metric of {type_}"


def _measured(alert: Resource, wanted: _Query) -> Complaints:
    criteria = _criteria(alert)
    if criteria.get("timeAggregation") != wanted.measured:
        yield alert, "is measured in another way"
    if criteria.get("metricMeasureColumn") != (None if wanted.measured == "Count" else "value"):
        yield alert, "measures another column"
    dimensions: list[dict[str, Any]] = criteria.get("dimensions") or []
    named = [(each["name"], each["values"]) for each in dimensions]
    if named != ([("what", ["*"])] if wanted.apart else []):
        yield alert, f"tells queues apart by {named}"


def _kind(alert: Resource) -> str:
    known = [*QUERIES, *METRICS]
    return next((each for each in known if alert.name.endswith(f"-{each}")), alert.name)


def _criteria(alert: Resource) -> dict[str, Any]:
    return (alert.objects("properties.criteria.allOf") or [{}])[0]


def _type(plan: Plan, said: object) -> str:
    target = plan.at(str(said).removesuffix(".id"))
    return target.type if target else ""


def alerts_are_heard(plan: Plan) -> Complaints:
    """An alert without an action group is seen by who happens to look."""
    groups = {f"{each.address}.id" for each in plan.of("Microsoft.Insights/actionGroups")}
    for each in plan.of(_QUERY):
        if not groups & set(each.texts("properties.actions.actionGroups")):
            yield each, "tells nobody"
        elif [_type(plan, one) for one in each.texts("properties.scopes")] != [
            "Microsoft.OperationalInsights/workspaces"
        ]:
            yield each, "asks something else than the workspace"
    for each in plan.of(_METRIC):
        told = each.objects("properties.actions")
        if not groups & {str(one.get("actionGroupId")) for one in told}:
            yield each, "tells nobody"


def somebody_is_told(plan: Plan) -> Complaints:
    """Who gave an address relies on being told."""
    for group in plan.of("Microsoft.Insights/actionGroups"):
        receivers = group.objects("properties.emailReceivers")
        if bool(receivers) != bool(plan.parameters.get("alertEmail")):
            yield group, "tells nobody, though somebody is named, or the other way round"
        if not all(one.get("useCommonAlertSchema") is True for one in receivers):
            yield group, "speaks in as many ways as there are kinds of alerts"


def alerts_can_fire(plan: Plan) -> Complaints:
    """An alert whose limit is never passed is none; nor one that looks back less than it waits."""
    for each in plan.of(_QUERY, _METRIC):
        criteria = _criteria(each)
        threshold, operator = criteria.get("threshold"), criteria.get("operator")
        if not isinstance(threshold, int) or threshold < 0:
            yield each, f"its threshold is {threshold}"
        wanted = "LessThan" if _kind(each) == "silence" else "GreaterThan"
        if operator != wanted:
            yield each, f"fires at {operator} {threshold}, not at {wanted}"
        if operator == "LessThan" and threshold == 0:
            yield each, "nothing is less than nothing"
        age = int(threshold or 0)
        if _kind(each) in ("queue-age", "audit-lag") and not 60 <= age <= 3600:
            yield each, f"{age} seconds are no age to be told of"
        if _minutes(each.at("properties.windowSize")) < _minutes(
            each.at("properties.evaluationFrequency")
        ):
            yield each, "looks back for less than the time between two looks"


def _minutes(duration: object) -> int:
    found = re.fullmatch(r"PT(\d+)M", str(duration))
    return int(found[1]) if found else 0


def connections_alert(plan: Plan) -> Complaints:
    """It has to fire before the server refuses, and not while all is well."""
    limits = {
        each.name: each.at("properties.value") for each in plan.of(f"{SERVER}/configurations")
    }
    for each in plan.of(_METRIC):
        most = int(limits.get("max_connections", "0"))
        threshold = int(_criteria(each)["threshold"])
        if _kind(each) == "database-connections" and not most * 0.5 <= threshold <= most * 0.95:
            yield each, f"fires at {threshold} of {most} connections"


RULES: tuple[Rule, ...] = (
    diagnostic_settings, needed_alerts, alerts_are_heard, somebody_is_told, alerts_can_fire,
    connections_alert,
)  # fmt: skip
