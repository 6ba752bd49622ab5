"""Switches of main.bicep: safe as they are by themselves, and each does what it says."""

from collections.abc import Mapping
from typing import Any

from infra.check.plan import MAIN, Plan
from infra.check.rules.complaints import Complaints, Rule
from infra.check.rules.demands import ACCOUNT, BLOBS, SERVER, SITE
from infra.check.syntax import Constant

_ENABLED = {True: "Enabled", False: "Disabled"}
_SCALE = "properties.functionAppConfig.scaleAndConcurrency"
_DOES: tuple[tuple[str, str, str, str, Mapping[Any, Any]], ...] = (
    ("hasDatabaseGeoBackup", SERVER, "", "properties.backup.geoRedundantBackup", _ENABLED),
    ("databaseBackupDays", SERVER, "", "properties.backup.backupRetentionDays", {}),
    ("databaseHighAvailability", SERVER, "", "properties.highAvailability.mode", {}),
    ("databaseStorageGB", SERVER, "", "properties.storage.storageSizeGB", {}),
    ("databaseTier", SERVER, "", "sku.tier", {}),
    ("redundancy", ACCOUNT, "dataStorage/", "sku.name", {}),
    ("redundancy", ACCOUNT, "auditStorage/", "sku.name", {}),
    ("undeleteDays", BLOBS, "dataStorage/", "properties.deleteRetentionPolicy.days", {}),
    ("logDays", "Microsoft.OperationalInsights/workspaces", "", "properties.retentionInDays", {}),
    ("instanceMemoryMB", SITE, "", f"{_SCALE}.instanceMemoryMB", {}),
    ("httpConcurrency", SITE, "", f"{_SCALE}.triggers.http.perInstanceConcurrency", {}),
)
"""Parameter, type and module of a resource, its property, and what the property is then."""

_BY_ITSELF: Mapping[str, Any] = {
    "isPrivate": True,
    "hasDatabaseGeoBackup": True,
    "dropsAuditMonths": False,
    "immutabilityIsLocked": False,
    "redundancy": "Standard_GRS",
}


def switches(plan: Plan) -> Complaints:
    """A switch that does nothing is worse than none: somebody relies on it."""
    for name, type_, module, path, values in _DOES:
        said = plan.parameters.get(name)
        for each in plan.of(type_):
            if each.address.startswith(module) and each.at(path) != values.get(said, said):
                yield each, f"{path} is {each.at(path)} where {name} is {said}"


def ready_instances(plan: Plan) -> Complaints:
    """Instances that wait cost money, and are for requests over HTTP alone."""
    count = plan.parameters.get("alwaysReadyCount")
    wanted = [{"name": "http", "instanceCount": count}] if count else []
    for app in plan.of(SITE):
        ready = app.objects(f"{_SCALE}.alwaysReady")
        if ready != wanted:
            yield app, f"{ready} are always ready where alwaysReadyCount is {count}"


def safe_by_itself(plan: Plan) -> Complaints:
    """Who sets nothing gets a private network, a second region, and a trail that nobody drops."""
    if plan.is_changed:
        return
    for name, value in _BY_ITSELF.items():
        declared = plan.templates[MAIN].named("param", name)
        default = declared.value if declared else None
        if plan.parameters.get(name) != value:
            yield None, f"{name} is {plan.parameters.get(name)} by itself, not {value}"
        elif not isinstance(default, Constant) or default.value != value:
            yield None, f"{name} is not {value} by itself"


RULES: tuple[Rule, ...] = (switches, ready_instances, safe_by_itself)
