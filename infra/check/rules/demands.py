"""Rules that ask one property of every resource of a type for a value."""

from collections.abc import Iterator
from dataclasses import dataclass

from infra.check.functions import Later, Value
from infra.check.plan import Plan, Resource
from infra.check.rules.complaints import Complaints, Rule

ACCOUNT = "Microsoft.Storage/storageAccounts"
CONTAINER = f"{ACCOUNT}/blobServices/containers"
BLOBS = f"{ACCOUNT}/blobServices"
VAULT = "Microsoft.KeyVault/vaults"
SERVER = "Microsoft.DBforPostgreSQL/flexibleServers"
SITE = "Microsoft.Web/sites"


@dataclass(frozen=True)
class Demand:
    """`values` are all that the property may be; what breaks otherwise is said in `why`."""

    type: str
    path: str
    values: tuple[Value, ...]
    why: str

    def broken(self, plan: Plan) -> Complaints:
        for resource in plan.of(self.type):
            value = resource.at(self.path)
            if isinstance(value, Later) or not _is_one_of(value, self.values):
                yield resource, f"{self.path} is {value!r}: {self.why}"


def _is_one_of(value: Value, values: tuple[Value, ...]) -> bool:
    return any(value == each and type(value) is type(each) for each in values)


_DEMANDS: dict[str, tuple[Demand, ...]] = {
    "tls": (
        Demand(
            ACCOUNT, "properties.minimumTlsVersion", ("TLS1_2", "TLS1_3"), "older TLS is broken"
        ),
        Demand(SITE, "properties.siteConfig.minTlsVersion", ("1.2", "1.3"), "older TLS is broken"),
    ),
    "https-only": (
        Demand(ACCOUNT, "properties.supportsHttpsTrafficOnly", (True,), "tokens go in the clear"),
        Demand(SITE, "properties.httpsOnly", (True,), "API keys go in the clear"),
    ),
    "publishing-off": (
        Demand(
            f"{SITE}/basicPublishingCredentialsPolicies",
            "properties.allow",
            (False,),
            "whoever learns the publishing password replaces the code",
        ),
    ),
    "no-anonymous-blobs": (
        Demand(ACCOUNT, "properties.allowBlobPublicAccess", (False,), "anybody could read uploads"),
        Demand(CONTAINER, "properties.publicAccess", ("None",), "anybody could read the container"),
    ),
    "no-shared-keys": (
        Demand(ACCOUNT, "properties.allowSharedKeyAccess", (False,), "a key is worth every role"),
        Demand(
            ACCOUNT, "properties.defaultToOAuthAuthentication", (True,), "the portal asks for keys"
        ),
        Demand(ACCOUNT, "properties.isLocalUserEnabled", (False,), "local users have passwords"),
    ),
    "no-cross-tenant-copies": (
        Demand(
            ACCOUNT, "properties.allowCrossTenantReplication", (False,), "blobs leave the tenant"
        ),
    ),
    "archive-redundancy": (
        Demand(
            ACCOUNT,
            "sku.name",
            ("Standard_LRS", "Standard_GRS", "Standard_RAGRS"),
            "policies could not archive: zone-redundant and premium accounts have no Archive tier",
        ),
        Demand(ACCOUNT, "kind", ("StorageV2",), "other kinds lack tiers, queues or tables"),
    ),
    "undelete": (
        Demand(
            BLOBS, "properties.changeFeed.enabled", (False,), "it is paid for, and nobody reads it"
        ),
        Demand(
            BLOBS, "properties.deleteRetentionPolicy.enabled", (True,), "a deleted blob is gone"
        ),
        Demand(
            BLOBS,
            "properties.containerDeleteRetentionPolicy.enabled",
            (True,),
            "a deleted container is gone",
        ),
    ),
    "vault-keeps-secrets": (
        Demand(
            VAULT, "properties.enablePurgeProtection", (True,), "a purged pepper ends every key"
        ),
        Demand(VAULT, "properties.enableSoftDelete", (True,), "a deleted pepper ends every key"),
        Demand(VAULT, "properties.softDeleteRetentionInDays", (90,), "less time to notice"),
    ),
    "vault-by-roles": (
        Demand(
            VAULT,
            "properties.enableRbacAuthorization",
            (True,),
            "access policies are no roles, and nobody reviews them",
        ),
    ),
    "database-no-passwords": (
        Demand(SERVER, "properties.authConfig.passwordAuth", ("Disabled",), "passwords leak"),
        Demand(SERVER, "properties.authConfig.activeDirectoryAuth", ("Enabled",), "nobody gets in"),
    ),
    "database-tier": (
        Demand(
            SERVER,
            "sku.tier",
            ("GeneralPurpose", "MemoryOptimized"),
            "burstable servers have no PgBouncer and run out of credits",
        ),
    ),
    "database-grows": (
        Demand(
            SERVER, "properties.storage.autoGrow", ("Enabled",), "a full disk makes it read-only"
        ),
    ),
    "telemetry-no-keys": (
        Demand(
            "Microsoft.Insights/components",
            "properties.DisableLocalAuth",
            (True,),
            "who knows the key floods the log",
        ),
        Demand(
            "Microsoft.OperationalInsights/workspaces",
            "properties.features.disableLocalAuth",
            (True,),
            "who knows the key floods the log",
        ),
    ),
    "log-by-resource": (
        Demand(
            "Microsoft.OperationalInsights/workspaces",
            "properties.features.enableLogAccessUsingOnlyResourcePermissions",
            (True,),
            "who may see a resource could not see its log",
        ),
    ),
    "http2": (
        Demand(
            SITE, "properties.siteConfig.http20Enabled", (True,), "clients open many connections"
        ),
    ),
    "plan-scales": (
        Demand("Microsoft.Web/serverfarms", "sku.name", ("FC1",), "queue functions scale together"),
        Demand(
            "Microsoft.Web/serverfarms", "sku.tier", ("FlexConsumption",), "it is no plan of FC1"
        ),
        Demand("Microsoft.Web/serverfarms", "properties.reserved", (True,), "Python runs on Linux"),
    ),
    "python-version": (
        Demand(
            SITE, "properties.functionAppConfig.runtime.name", ("python",), "the app is in Python"
        ),
        Demand(
            SITE,
            "properties.functionAppConfig.runtime.version",
            ("3.11",),
            "pyproject.toml and every test want 3.11",
        ),
    ),
    "deployed-by-identity": (
        Demand(
            SITE,
            "properties.functionAppConfig.deployment.storage.authentication.type",
            ("UserAssignedIdentity",),
            "the host account refuses keys, so there would be no code to run",
        ),
    ),
    "alerts-enabled": (
        Demand("Microsoft.Insights/scheduledQueryRules", "properties.enabled", (True,), "silence"),
        Demand("Microsoft.Insights/metricAlerts", "properties.enabled", (True,), "silence"),
        Demand("Microsoft.Insights/actionGroups", "properties.enabled", (True,), "nobody is told"),
        Demand(
            "Microsoft.Insights/scheduledQueryRules",
            "properties.autoMitigate",
            (True,),
            "what is over goes on being told",
        ),
        Demand(
            "Microsoft.Insights/scheduledQueryRules",
            "properties.skipQueryValidation",
            (True,),
            "the first deployment fails: tables of the log come with their first line",
        ),
        Demand(
            "Microsoft.Insights/metricAlerts",
            "properties.autoMitigate",
            (True,),
            "what is over goes on being told",
        ),
    ),
}


def _rule(demands: tuple[Demand, ...]) -> Rule:
    def rule(plan: Plan) -> Complaints:
        for demand in demands:
            yield from demand.broken(plan)

    return rule


RULES: dict[str, Rule] = {name: _rule(demands) for name, demands in _DEMANDS.items()}


def within(plan: Plan, inner: Resource, type_: str) -> Iterator[Resource]:
    """The resources of a type that this one stands in, by parents."""
    above = plan.at(inner.parent) if inner.parent else None
    while above is not None:
        if above.type == type_:
            yield above
        above = plan.at(above.parent) if above.parent else None
