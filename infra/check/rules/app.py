"""The Function App: who it is, and what it is told."""

import re

from infra.check.plan import Plan
from infra.check.rules.complaints import Complaints, Rule
from infra.check.rules.demands import CONTAINER, SITE
from infra.check.rules.events import settings

_CLIENT = r"identity/identity\.properties\.clientId"
_SETTINGS = {
    "APPLICATIONINSIGHTS_AUTHENTICATION_STRING": rf"ClientId={{{_CLIENT}}};Authorization=AAD",
    "APPLICATIONINSIGHTS_CONNECTION_STRING": r"monitoring/insights\.properties\.ConnectionString",
    "AZURE_CLIENT_ID": _CLIENT,
    "AZURE_TOKEN_CREDENTIALS": "prod",
    "AzureWebJobs.blob_uploaded.Disabled": "true",
    "AzureWebJobsStorage__blobServiceUri": r"hostStorage/account/account\..*primaryEndpoints\.blob",
    "AzureWebJobsStorage__clientId": _CLIENT,
    "AzureWebJobsStorage__credential": "managedidentity",
    "REGISTRY_AUDIT_STORAGE__blobServiceUri": r"auditStorage/.*\.primaryEndpoints\.blob",
    "REGISTRY_AUDIT_STORAGE__tableServiceUri": r"auditStorage/.*\.primaryEndpoints\.table",
    "REGISTRY_BLOB_TRIGGER_SOURCE": "EventGrid",
    "REGISTRY_DATABASE_IDENTITY": "true",
    "REGISTRY_DATABASE_URL": r"postgresql://\{?[^:@]+\}?@\{postgres/server\.properties\."
    r"fullyQualifiedDomainName\}:\d+/registry\?.+",
    "REGISTRY_KEY_PEPPER": r"@Microsoft\.KeyVault\(SecretUri=.*secrets/key-pepper.*\)",
    "REGISTRY_STORAGE__blobServiceUri": r"dataStorage/.*\.primaryEndpoints\.blob",
    "REGISTRY_STORAGE__clientId": _CLIENT,
    "REGISTRY_STORAGE__credential": "managedidentity",
    "REGISTRY_STORAGE__queueServiceUri": r"dataStorage/.*\.primaryEndpoints\.queue",
    "REGISTRY_STORAGE__tableServiceUri": r"dataStorage/.*\.primaryEndpoints\.table",
}
_ID = "identity/identity.id"
_TOKENS = ("AUDIENCE", "ISSUER", "JWKS_URL")


def has_app(plan: Plan) -> Complaints:
    """The registry is this app, on a plan of its own, with settings."""
    plans = {f"{each.address}.id" for each in plan.of("Microsoft.Web/serverfarms")}
    apps = list(plan.of(SITE))
    if len(apps) != 1 or not settings(plan):
        yield None, "there is not one Function App with settings"
    for app in apps:
        if app.at("properties.serverFarmId") not in plans:
            yield app, "stands on no plan of this deployment"
        if app.at("tags.azd-service-name") != "api":
            yield app, "azd looks for the tag azd-service-name, and deploys nothing without it"


def app_identity(plan: Plan) -> Complaints:
    """Roles are given to one identity: the app, its deployment and its vault have to be it."""
    deployment = "properties.functionAppConfig.deployment.storage.authentication"
    for app in plan.of(SITE):
        identities = app.object("identity.userAssignedIdentities")
        if app.at("identity.type") != "UserAssigned" or _bare(identities) != {_ID}:
            yield app, "is not the identity that has the roles, and it alone"
        for path in ("properties.keyVaultReferenceIdentity",
                     f"{deployment}.userAssignedIdentityResourceId"):  # fmt: skip
            if app.at(path) != _ID:
                yield app, f"{path} is another identity"


def _bare(identities: dict[str, object]) -> set[str]:
    return {each.strip("{}") for each in identities}


def app_settings(plan: Plan) -> Complaints:
    """Each points the app to a resource of this deployment, and lets it in by its identity."""
    made = settings(plan)
    for name, pattern in _SETTINGS.items():
        value = str(made.get(name))
        if not re.fullmatch(pattern, value) and not re.fullmatch(pattern, value.strip("{}")):
            yield None, f"{name} is {value}, not {pattern}"


def app_containers(plan: Plan) -> Complaints:
    """What the app writes to has to be there: its roles make no containers."""
    made = settings(plan)
    for name, prefix in {
        "REGISTRY_UPLOAD_CONTAINER": "dataStorage/",
        "REGISTRY_AUDIT_SEAL_CONTAINER": "auditStorage/",
        "REGISTRY_AUDIT_EXPORT_CONTAINER": "auditStorage/",
    }.items():
        there = {each.name for each in plan.of(CONTAINER) if each.address.startswith(prefix)}
        if made.get(name) not in there:
            yield None, f"{name} names {made.get(name)}, which {prefix} has not"


def publishing_passwords(plan: Plan) -> Complaints:
    """Both are on unless they are turned off: FTP's, and that of the deployment site."""
    off = {each.name for each in plan.of(f"{SITE}/basicPublishingCredentialsPolicies")}
    for app in plan.of(SITE):
        if off != {"ftp", "scm"}:
            yield app, f"passwords are turned off for {', '.join(sorted(off)) or 'nothing'} only"


def token_settings(plan: Plan) -> Complaints:
    """Issuer, audience and keys are set together, or the app does not start."""
    made = settings(plan)
    said = {name: bool(made.get(f"REGISTRY_TOKEN_{name}")) for name in _TOKENS}
    if len(set(said.values())) > 1:
        yield None, f"of {said} some are set and some are not"


def app_package(plan: Plan) -> Complaints:
    """The host reads its code from a container of its own account."""
    path = "properties.functionAppConfig.deployment.storage.value"
    there = {each.name for each in plan.of(CONTAINER) if each.address.startswith("hostStorage/")}
    for app in plan.of(SITE):
        account, _, container = str(app.at(path)).rpartition("}")
        if container not in there or not account.startswith("{hostStorage/"):
            yield app, f"its package is in {app.at(path)}, which is no container of the host's"


RULES: tuple[Rule, ...] = (
    has_app, app_identity, app_settings, app_containers, publishing_passwords, token_settings,
    app_package,
)  # fmt: skip
