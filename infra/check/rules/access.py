"""Who may do what: the roles that are given, and those that we made."""

import re
from collections.abc import Iterator

from infra.check.plan import Plan, Resource
from infra.check.rules.complaints import Complaints, Rule

_ASSIGNMENT = "Microsoft.Authorization/roleAssignments"
_DEFINITION = "Microsoft.Authorization/roleDefinitions"
_ID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_READY_MADE = re.compile(
    rf"subscriptionResourceId\(Microsoft\.Authorization/roleDefinitions, ({_ID.pattern})\)"
)

ROLES = {
    "b7e6dc6d-f1e8-4753-8033-0f276bb0955b": "Storage Blob Data Owner",
    "ba92f5b4-2d11-453d-a403-e96b0029c9fe": "Storage Blob Data Contributor",
    "974c5e8b-45b9-4653-ba55-5f855dd0fb88": "Storage Queue Data Contributor",
    "c6a89b2d-59bc-44d0-9896-0f6e12d7b80a": "Storage Queue Data Message Sender",
    "4633458b-17de-408a-b874-0445c86b69e6": "Key Vault Secrets User",
    "3913510d-42f4-4e42-8a64-420c390055eb": "Monitoring Metrics Publisher",
}
"""All ready-made roles that may be given: none of them writes roles, keys or resources."""

_APP = "identity/identity.properties.principalId"
_TOPIC = "events/topic.identity.principalId"
GRANTS = {
    (_APP, "Storage Blob Data Owner", "hostStorage/made"),
    (_APP, "roles/bytes", "dataStorage/made"),
    (_APP, "Storage Queue Data Contributor", "dataStorage/made"),
    (_APP, "roles/trail", "auditStorage/made"),
    (_APP, "Key Vault Secrets User", "vault/vault"),
    (_APP, "Monitoring Metrics Publisher", "monitoring/insights"),
    (_TOPIC, "Storage Queue Data Message Sender", "events/queue"),
    (_TOPIC, "Storage Blob Data Contributor", "events/deadLetters"),
}
"""Who, as what, where. Each is needed for something; docs/identity.md says for what."""

ON_DEMAND = {(_APP, "roles/trailMonths", "auditStorage/made")}
"""Given only where months of the audit trail are to go."""

_BLOBS = "Microsoft.Storage/storageAccounts/blobServices"
_BLOB = f"{_BLOBS}/containers/blobs"
_TABLES = "Microsoft.Storage/storageAccounts/tableServices/tables"
CUSTOM = {
    "roles/bytes": {
        f"{_BLOBS}/containers/read",
        f"{_BLOB}/read",
        f"{_BLOB}/tags/read",
        f"{_BLOB}/write",
        f"{_BLOB}/add/action",
        f"{_BLOB}/delete",
        f"{_BLOB}/deleteBlobVersion/action",
    },
    "roles/trail": {
        f"{_BLOBS}/containers/read",
        f"{_TABLES}/read",
        f"{_TABLES}/write",
        f"{_TABLES}/entities/read",
        f"{_TABLES}/entities/add/action",
        f"{_BLOB}/read",
        f"{_BLOB}/add/action",
        f"{_BLOB}/write",
    },
    "roles/trailMonths": {f"{_TABLES}/delete"},
}
"""What the roles that we made may do: written a second time, so that no change goes unnoticed."""


def _role(plan: Plan, assignment: Resource) -> str:
    """Name of a ready-made role, or the address of one that we made."""
    said = str(assignment.at("properties.roleDefinitionId"))
    made = plan.at(said.removesuffix(".id"))
    if made is not None and made.type == _DEFINITION:
        return made.address
    found = _READY_MADE.fullmatch(said)
    return ROLES.get(found[1], found[1]) if found else said


def allowed_roles(plan: Plan) -> Complaints:
    """Owner, Contributor and the like would let the app read keys and give itself more."""
    known = {*ROLES.values(), *CUSTOM}
    for each in plan.of(_ASSIGNMENT):
        role = _role(plan, each)
        if role not in known:
            yield each, f"gives {role}, which is no role of ours"


def expected_grants(plan: Plan) -> Complaints:
    """One too many is a right that nobody reviewed; one too few, a function that fails on Azure."""
    given: dict[tuple[str, str, str], Resource] = {}
    for each in plan.of(_ASSIGNMENT):
        grant = str(each.at("properties.principalId")), _role(plan, each), each.scope
        given[grant] = each
    wanted = GRANTS | ON_DEMAND if plan.parameters.get("dropsAuditMonths") else GRANTS
    for grant in sorted(set(given) - wanted):
        yield given[grant], "gives {1} on {2} to {0}, as nobody planned".format(*grant)
    for grant in sorted(wanted - set(given)):
        yield None, "nobody gives {1} on {2} to {0}".format(*grant)


def grants_by_name(plan: Plan) -> Complaints:
    """A name of its own for each grant: with the same one, the second deployment fails."""
    for each in plan.of(_ASSIGNMENT):
        role = _ID.search(str(each.at("properties.roleDefinitionId")))
        wanted = [f"{each.scope}.id", role[0] if role else _role(plan, each)]
        if not each.name.startswith("guid(") or any(one not in each.name for one in wanted):
            yield each, f"its name {each.name} does not tell it from others"


def grants_to_identities(plan: Plan) -> Complaints:
    """Without the type, a grant to an identity made a moment ago fails as unknown."""
    for each in plan.of(_ASSIGNMENT):
        if each.at("properties.principalType") != "ServicePrincipal":
            yield each, "principalType is not ServicePrincipal"


def custom_roles(plan: Plan) -> Complaints:
    """The audit trail is only added to, and the app's rights end where its work does."""
    made = {each.address: each for each in plan.of(_DEFINITION)}
    for address in CUSTOM.keys() - made.keys():
        yield None, f"there is no role {address}"
    for address, role in made.items():
        actions = set(_actions(role))
        wanted = CUSTOM.get(address, set[str]())
        for action in sorted(actions ^ wanted):
            yield role, f"{'may' if action in actions else 'may not'} {action}"
        if role.at("properties.type") != "CustomRole":
            yield role, "is not of the type CustomRole"
        if role.at("properties.assignableScopes") != ["resourceGroup().id"]:
            yield role, "can be given outside of its resource group"


def trail_is_only_added_to(plan: Plan) -> Complaints:
    """Who can change or delete an event can make the trail say something else."""
    entity = f"{_TABLES}/entities/"
    for role in plan.of(_DEFINITION):
        actions = set(_actions(role))
        if any("*" in action for action in actions):
            yield role, "has a wildcard"
        changes = {one for one in actions if one.startswith(entity)} - {
            f"{entity}read",
            f"{entity}add/action",
        }
        if changes:
            yield role, f"changes events: {', '.join(sorted(changes))}"


def _actions(role: Resource) -> Iterator[str]:
    for permission in role.objects("properties.permissions"):
        for kind in ("actions", "dataActions"):
            yield from permission.get(kind, [])


RULES: tuple[Rule, ...] = (
    allowed_roles, expected_grants, grants_by_name, grants_to_identities, custom_roles,
    trail_is_only_added_to,
)  # fmt: skip
