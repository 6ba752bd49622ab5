"""What has to stay: the audit trail, versions of what was hashed, the tags that say whose it is."""

from infra.check.functions import Later
from infra.check.plan import Plan
from infra.check.rules.complaints import Complaints, Rule
from infra.check.rules.demands import BLOBS, CONTAINER
from infra.check.rules.events import settings

_UNTAGGED = {
    "Microsoft.Authorization/roleAssignments",
    "Microsoft.Authorization/roleDefinitions",
    "Microsoft.Insights/diagnosticSettings",
}
_LOCKED = "immutabilityIsLocked"
_POLICY = f"{CONTAINER}/immutabilityPolicies"
_WHOLE = 2
"""Parts of the type of a resource that stands alone: `provider/kind`."""


def audit_containers_stay(plan: Plan) -> Complaints:
    """Seals and exports prove the trail only as long as nobody can replace them."""
    if plan.parameters.get(_LOCKED):
        return
    made = settings(plan)
    policies = {each.parent: each for each in plan.of(_POLICY)}
    for name in ("REGISTRY_AUDIT_SEAL_CONTAINER", "REGISTRY_AUDIT_EXPORT_CONTAINER"):
        for container in plan.of(CONTAINER):
            if container.name != made.get(name):
                continue
            policy = policies.get(container.address)
            if policy is None:
                yield container, "has no immutability policy"
            elif policy.at("properties.allowProtectedAppendWrites") is not False:
                yield policy, "lets blobs be added to"
            elif not plan.is_changed and not _at_least(
                policy.at("properties.immutabilityPeriodSinceCreationInDays"), 365
            ):
                yield policy, "ends within a year"


def locked_policies_rest(plan: Plan) -> Complaints:
    """Azure lets nobody make a locked policy again: the second deployment would fail."""
    for policy in plan.of(_POLICY):
        if plan.parameters.get(_LOCKED):
            yield policy, "is locked, and is made again"


def versions_stay(plan: Plan) -> Complaints:
    """An artifact points at the version that was hashed: what is overwritten has to stay."""
    for blobs in plan.of(BLOBS):
        wanted = blobs.address.startswith("dataStorage/")
        if blobs.at("properties.isVersioningEnabled") is not wanted:
            yield blobs, f"isVersioningEnabled is not {wanted}"


def deleted_stays(plan: Plan) -> Complaints:
    """A mistake has to be noticed before it is final: a week, unless somebody wants less."""
    if plan.is_changed:
        return
    for blobs in plan.of(BLOBS):
        for policy in ("deleteRetentionPolicy", "containerDeleteRetentionPolicy"):
            if not _at_least(blobs.at(f"properties.{policy}.days"), 7):
                yield blobs, f"{policy} keeps for less than a week"


def _at_least(value: object, least: int) -> bool:
    return not isinstance(value, Later) and isinstance(value, int) and value >= least


def tags(plan: Plan) -> Complaints:
    """azd finds what is its own by this tag, and who pays by all of them."""
    for each in plan.resources:
        alone = len(each.type.split("/")) == _WHOLE and each.type not in _UNTAGGED
        if alone and not each.existing and not each.at("tags.azd-env-name"):
            yield each, "has no tag azd-env-name"


def one_of_each(plan: Plan) -> Complaints:
    """Two resources of one name are one resource, which the second declaration overwrites."""
    seen: set[tuple[str, ...]] = set()
    for each in plan.resources:
        own = *plan.names(each), each.scope
        if not each.existing and own in seen:
            yield each, f"there is another {each.type} of the name {each.name}"
        if not each.existing:
            seen.add(own)


def existing_is_made(plan: Plan) -> Complaints:
    """An `existing` resource that this deployment does not make fails the deployment."""
    made = {plan.names(each) for each in plan.resources if not each.existing}
    for each in plan.resources:
        if each.existing and plan.names(each) not in made:
            yield each, f"this deployment makes no {each.type} {each.name}"


RULES: tuple[Rule, ...] = (
    audit_containers_stay, locked_policies_rest, versions_stay, deleted_stays, tags, one_of_each,
    existing_is_made,
)  # fmt: skip
