"""The line that tells where a function can be reached or what triggers it."""

from devhost.host.indexing import BLOB, HTTP, QUEUE, TIMER
from devhost.host.model import FunctionSpec
from devhost.host.routes import RouteTable

_PROPERTY = {BLOB: ("blob", "path"), QUEUE: ("queue", "queueName"), TIMER: ("timer", "schedule")}


def describe(function: FunctionSpec, routes: RouteTable, url: str) -> str:
    """For example `items: GET,POST http://127.0.0.1:7071/api/items`."""
    if function.trigger.type == HTTP:
        route = next(route for route in routes.routes if route.function is function)
        methods = ",".join(sorted(route.methods)) or "any method"
        return f"{function.name}: {methods} {url}/{route.path}"
    kind, key = _PROPERTY[function.trigger.type]
    return f"{function.name}: {kind} {function.trigger.properties[key]}"
