"""The database server: who gets in, how, and how many at a time."""

import re
from collections.abc import Mapping

from infra.check.functions import Later
from infra.check.plan import Plan
from infra.check.rules.complaints import Complaints, Rule
from infra.check.rules.demands import SERVER, SITE
from infra.check.rules.events import settings

_RESERVED = 15
"""Connections that Azure keeps for itself; the alert and who migrates need some as well."""
_LOOK_UPS = 2
"""Connections beside the pool of each process, for look-ups over HTTP: shared/settings.py."""
TIMERS = 11
"""Functions that a timer runs, each on an instance of its own."""
_SCALE = "properties.functionAppConfig.scaleAndConcurrency"
_READY = f"{_SCALE}.alwaysReady"

_BY_MEMORY = {8: 859, 16: 1718, 32: 3437}
"""What Azure opens by default, by GiB of memory; above, 5,000."""
_MOST = 5000


def parameters(plan: Plan) -> Mapping[str, str]:
    """Parameters of the server, by name."""
    return {each.name: each.at("properties.value") for each in plan.of(f"{SERVER}/configurations")}


def has_database(plan: Plan) -> Complaints:
    """The app's URL names the database, and somebody has to be able to migrate it."""
    names = {each.name for each in plan.of(f"{SERVER}/databases")}
    said = re.search(r"/(\w+)\?", str(settings(plan).get("REGISTRY_DATABASE_URL")))
    if not said or said[1] not in names:
        yield None, f"the app's database is none of {', '.join(names) or 'none'}"
    if not list(plan.of(f"{SERVER}/administrators")):
        yield None, "nobody administers the database: no role can be made in it"


def database_tls(plan: Plan) -> Complaints:
    """Tokens are passwords: none goes in the clear, or to who only claims to be the server."""
    made = parameters(plan)
    if made.get("require_secure_transport") != "on":
        yield None, "require_secure_transport is not on"
    if made.get("ssl_min_protocol_version") not in ("TLSv1.2", "TLSv1.3"):
        yield None, "ssl_min_protocol_version is not TLSv1.2 or more"
    if "sslmode=verify-full" not in str(settings(plan).get("REGISTRY_DATABASE_URL")):
        yield None, "REGISTRY_DATABASE_URL does not verify who the server is"


def pooler_mode(plan: Plan) -> Complaints:
    """Thousands of connections become a few in transaction mode only, which the app is made for."""
    wanted = {"pgbouncer.enabled": "true", "pgbouncer.pool_mode": "transaction"}
    for name, value in wanted.items():
        if parameters(plan).get(name) != value:
            yield None, f"{name} is not {value}"


def pooler_port(plan: Plan) -> Complaints:
    """On 5432 there is no PgBouncer: instances would use the server's own connections up."""
    if not re.search(r":6432/", str(settings(plan).get("REGISTRY_DATABASE_URL"))):
        yield None, "the app does not go to port 6432, where PgBouncer is"


def pooler_startup(plan: Plan) -> Complaints:
    """PgBouncer refuses a connection that starts with a parameter that it does not know."""
    ignored = str(parameters(plan).get("pgbouncer.ignore_startup_parameters"))
    if "extra_float_digits" not in ignored.split(","):
        yield None, "extra_float_digits is not among the parameters that PgBouncer lets pass"


def pooler_waits(plan: Plan) -> Complaints:
    """By itself PgBouncer lets a query wait for two minutes, and who asked has long given up."""
    seconds = _number(parameters(plan).get("pgbouncer.query_wait_timeout"))
    patience = _number(settings(plan).get("REGISTRY_DATABASE_TIMEOUT_SECONDS"))
    if seconds is None or patience is None or not patience <= seconds <= 60:
        yield None, f"a query waits for {seconds} seconds, the app for {patience}"


def database_tells(plan: Plan) -> Complaints:
    """Without it nobody sees that clients wait for a connection, or the server for its disk."""
    for name in ("metrics.pgbouncer_diagnostics", "log_checkpoints"):
        if parameters(plan).get(name) != "on":
            yield None, f"{name} is not on"


def connection_budget(plan: Plan) -> Complaints:
    """All instances at once, old ones of a deployment beside new ones, must find a connection."""
    made, app = parameters(plan), settings(plan)
    instances = _most_instances(plan)
    each = _number(app.get("REGISTRY_DATABASE_POOL_SIZE"))
    clients = _number(made.get("pgbouncer.max_client_conn"))
    server = _number(made.get("max_connections"))
    pooled = _number(made.get("pgbouncer.default_pool_size"))
    if None in (instances, each, clients, server, pooled):
        yield None, "the numbers of instances and connections cannot be worked out"
        return
    wanted = (instances or 0) * ((each or 0) + _LOOK_UPS)
    if not wanted * 2 <= (clients or 0) <= wanted * 10:
        yield None, f"{instances} instances open {wanted} connections, PgBouncer takes {clients}"
    if wanted > (server or 0) - _RESERVED:
        yield None, f"{instances} instances open {wanted} connections, the server takes {server}"
    if (pooled or 0) + _RESERVED > (server or 0):
        yield None, f"PgBouncer opens {pooled} connections, the server takes {server}"
    if (pooled or 0) < 10:
        yield None, f"PgBouncer has {pooled} connections for {wanted}"


def server_fits(plan: Plan) -> Complaints:
    """A server does not start with more connections than it has memory for."""
    for server in plan.of(SERVER):
        found = re.fullmatch(r"Standard_([DE])(\d+)ds_v5", str(server.at("sku.name")))
        family = {"D": "GeneralPurpose", "E": "MemoryOptimized"}
        if not found or family[found[1]] != server.at("sku.tier"):
            yield (
                server,
                f"{server.at('sku.name')} is no server of the tier {server.at('sku.tier')}",
            )
            continue
        memory = int(found[2]) * (4 if found[1] == "D" else 8)
        most = next((limit for size, limit in _BY_MEMORY.items() if memory <= size), _MOST)
        pooled = _number(parameters(plan).get("pgbouncer.default_pool_size")) or 0
        if not int(found[2]) * 10 <= pooled <= int(found[2]) * 50:
            yield server, f"{pooled} connections at work at once on {found[2]} cores"
        wanted = _number(parameters(plan).get("max_connections"))
        if wanted is None or wanted > most:
            yield server, f"opens {wanted} connections with {memory} GiB of memory: {most} at most"


def threads_have_connections(plan: Plan) -> Complaints:
    """A thread without a connection of its own waits for one of the others, up to its timeout."""
    app = settings(plan)
    threads = _number(app.get("PYTHON_THREADPOOL_THREAD_COUNT"))
    pool = _number(app.get("REGISTRY_DATABASE_POOL_SIZE"))
    if threads is None or pool is None or threads > pool or threads < 1:
        yield None, f"{threads} threads share {pool} connections"


def _most_instances(plan: Plan) -> int | None:
    """Of all functions: HTTP and each queue scale by themselves, and the limit is that of each."""
    queues = [name for name in settings(plan) if name.endswith("_QUEUE")]
    for app in plan.of(SITE):
        most = _number(app.at(f"{_SCALE}.maximumInstanceCount"))
        ready = sum(_number(each["instanceCount"]) or 0 for each in app.objects(_READY))
        return most * (1 + len(queues)) + ready + TIMERS if most else None
    return None


def _number(value: object) -> int | None:
    if isinstance(value, Later):
        return None
    return int(value) if isinstance(value, (int, str)) and str(value).isdecimal() else None


def database_doors(plan: Plan) -> Complaints:
    """With a network nobody comes in from outside; without one, Azure and who administers."""
    rules = list(plan.of(f"{SERVER}/firewallRules"))
    for server in plan.of(SERVER):
        inside = server.at("properties.network.delegatedSubnetResourceId")
        if inside and (rules or server.at("properties.network.publicNetworkAccess") == "Enabled"):
            yield server, "stands in a network and is open to the outside as well"
        if inside and not server.at("properties.network.privateDnsZoneArmResourceId"):
            yield server, "nobody in its network could find it by name"
    for rule in rules:
        first, last = (rule.at(f"properties.{end}IpAddress") for end in ("start", "end"))
        if first != last:
            yield rule, f"opens the server from {first} to {last}"


def has_backups(plan: Plan) -> Complaints:
    """What is lost is had back from these days: docs/backup.md."""
    for server in plan.of(SERVER):
        days = _number(server.at("properties.backup.backupRetentionDays"))
        if days is None or days < 7:
            yield server, f"keeps backups for {days} days"


RULES: tuple[Rule, ...] = (
    has_database, database_tls, pooler_mode, pooler_port, pooler_startup, pooler_waits,
    database_tells, connection_budget, server_fits, threads_have_connections, database_doors,
    has_backups,
)  # fmt: skip
