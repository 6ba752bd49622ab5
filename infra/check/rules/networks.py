"""With the network switch on, everything but the API and Event Grid's way in is private."""

from typing import Any

from infra.check.plan import Plan, Resource
from infra.check.rules.complaints import Complaints, Rule
from infra.check.rules.demands import ACCOUNT, SERVER, SITE, VAULT

_NETWORK = "Microsoft.Network/virtualNetworks"
_ZONE = "Microsoft.Network/privateDnsZones"
_ENDPOINT = "Microsoft.Network/privateEndpoints"
_NEEDED = {
    "hostStorage/account/account": {"blob"},
    "dataStorage/account/account": {"blob", "queue", "table"},
    "auditStorage/account/account": {"blob", "table"},
    "vault/vault": {"vault"},
}
_ZONES = {
    "blob": "privatelink.blob.",
    "queue": "privatelink.queue.",
    "table": "privatelink.table.",
    "vault": "privatelink.vaultcore.azure.net",
}


def _is_private(plan: Plan) -> bool:
    return any(True for _ in plan.of(_NETWORK))


def network_switch(plan: Plan) -> Complaints:
    """The database tells which it is: all of the deployment has to be the same."""
    for server in plan.of(SERVER):
        inside = bool(server.at("properties.network.delegatedSubnetResourceId"))
        if inside is not _is_private(plan):
            yield server, "is private where the network is not, or the other way round"
    for app in plan.of(SITE):
        if bool(app.at("properties.virtualNetworkSubnetId")) is not _is_private(plan):
            yield app, "goes out by the network where there is none, or the other way round"


def private_firewalls(plan: Plan) -> Complaints:
    """A private endpoint is of no use beside a public one that is open."""
    for each in plan.of(ACCOUNT, VAULT):
        default = each.at("properties.networkAcls.defaultAction")
        public = str(each.at("properties.publicNetworkAccess")).lower()
        trusted = each.at("properties.networkAcls.bypass") == "AzureServices"
        if _is_private(plan) and default != "Deny":
            yield each, f"defaultAction is {default}"
        if not _is_private(plan) and (default != "Allow" or public != "enabled"):
            yield each, "nobody can reach it"
        closed = public == "disabled" or (each.type == ACCOUNT and trusted)
        if _is_private(plan) and not closed:
            yield each, "its public endpoint is open"


def private_endpoints(plan: Plan) -> Complaints:
    """What is private and has no endpoint is reached by nobody."""
    there: set[tuple[str, str]] = set()
    for endpoint in plan.of(_ENDPOINT):
        for link in endpoint.objects("properties.privateLinkServiceConnections"):
            target = str(link["properties"].get("privateLinkServiceId")).removesuffix(".id")
            there.update((target, group) for group in link["properties"].get("groupIds", []))
        if "subnets, " not in str(endpoint.at("properties.subnet.id")):
            yield endpoint, "stands in no subnet"
        elif not str(endpoint.at("properties.subnet.id")).endswith("endpoints)"):
            yield endpoint, "stands in another subnet than that of endpoints"
    wanted = {(target, group) for target, groups in _NEEDED.items() for group in groups}
    for target, group in sorted((wanted if _is_private(plan) else set[tuple[str, str]]()) ^ there):
        yield plan.at(target), f"{group} has no private endpoint where it needs one, or has one"


def private_names(plan: Plan) -> Complaints:
    """Without its zone, the name of an account leads to the address that is closed."""
    groups = {each.parent: each for each in plan.of(f"{_ENDPOINT}/privateDnsZoneGroups")}
    for endpoint in plan.of(_ENDPOINT):
        group = groups.get(endpoint.address)
        links = endpoint.objects("properties.privateLinkServiceConnections")
        if group is None or not links:
            yield endpoint, "nothing tells its address to the network's DNS"
            continue
        service = links[0]["properties"]["groupIds"][0]
        configs = group.objects("properties.privateDnsZoneConfigs") or [{}]
        zone = str(configs[0].get("properties", {}).get("privateDnsZoneId"))
        if _ZONES.get(service, "?") not in zone:
            yield group, f"{service} stands in the zone {zone}"


def zones_are_linked(plan: Plan) -> Complaints:
    """A zone that no network is linked to answers nobody."""
    linked = {each.parent: each for each in plan.of(f"{_ZONE}/virtualNetworkLinks")}
    names = [each.name for each in plan.of(_ZONE)]
    for zone in plan.of(_ZONE):
        link = linked.get(zone.address)
        if link is None or not str(link.at("properties.virtualNetwork.id")).endswith("network.id"):
            yield zone, "is linked to no network"
        elif link.at("properties.registrationEnabled") is not False:
            yield link, "machines register themselves in it"
    for wanted in (*_ZONES.values(), ".private.postgres.database.azure.com"):
        if _is_private(plan) and not any(wanted in name for name in names):
            yield None, f"there is no zone {wanted}"


def subnets(plan: Plan) -> Complaints:
    """The app and the database each need a subnet that is handed over to their service."""
    for network in plan.of(_NETWORK):
        made = {str(each.get("name")): each.get("properties", {}) for each in _subnets(network)}
        handed = {name: _handed(made.get(name, {})) for name in ("app", "database")}
        if handed != {"app": ["Microsoft.App/environments"], "database": [SERVER]}:
            yield network, f"its subnets are handed to {handed}"
        for name in sorted({"app", "database", "endpoints", "operators"} - set(made)):
            yield network, f"has no subnet {name}"
        if made.get("database", {}).get("serviceEndpoints") != [{"service": "Microsoft.Storage"}]:
            yield network, "the database's subnet has no way to Storage, which Azure gives it"
        if not network.texts("properties.addressSpace.addressPrefixes"):
            yield network, "has no addresses"
        policies = made.get("endpoints", {}).get("privateEndpointNetworkPolicies")
        if policies != "NetworkSecurityGroupEnabled":
            yield network, "its security group does not hold for private endpoints"
    yield from _places(plan)


def separate_subnets(plan: Plan) -> Complaints:
    """Addresses belong to one subnet each, and a security group guards each."""
    for network in plan.of(_NETWORK):
        made = {str(each.get("name")): each.get("properties", {}) for each in _subnets(network)}
        prefixes = [str(subnet.get("addressPrefix")) for subnet in made.values()]
        if len(set(prefixes)) != len(prefixes):
            yield network, "two subnets have the same addresses"
        for name, subnet in made.items():
            if not subnet.get("networkSecurityGroup"):
                yield network, f"the subnet {name} has no security group"


def _subnets(network: Resource) -> list[dict[str, Any]]:
    return network.objects("properties.subnets")


def _handed(subnet: dict[str, Any]) -> list[str]:
    return [str(each["properties"]["serviceName"]) for each in subnet.get("delegations", [])]


def _places(plan: Plan) -> Complaints:
    for type_, path, subnet in (
        (SITE, "properties.virtualNetworkSubnetId", "app"),
        (SERVER, "properties.network.delegatedSubnetResourceId", "database"),
    ):
        for each in plan.of(type_):
            stands = each.at(path)
            if stands and not str(stands).endswith(f" {subnet})"):
                yield each, f"stands in {stands}, not in the subnet {subnet}"


def closed_groups(plan: Plan) -> Complaints:
    """Without rules of its own a security group lets nothing in but from the network."""
    for each in plan.of("Microsoft.Network/networkSecurityGroups"):
        for rule in each.objects("properties.securityRules"):
            yield each, f"opens the network: {rule}"


RULES: tuple[Rule, ...] = (
    network_switch, private_firewalls, private_endpoints, private_names, zones_are_linked, subnets,
    separate_subnets, closed_groups,
)  # fmt: skip
