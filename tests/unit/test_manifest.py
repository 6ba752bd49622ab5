"""The functions of `function_app.py`, as the language worker indexes them.

Each run is a process of its own: an app tells its functions once only, and importing it must be
possible with nothing around it.
"""

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

PROJECT = Path(__file__).parents[2]
SETTINGS: dict[str, str] = json.loads((PROJECT / "local.settings.example.json").read_text())[
    "Values"
]
Binding = dict[str, Any]
Manifest = dict[str, list[Binding]]

UNBOUND = ("REGISTRY_DATABASE_URL", "REGISTRY_STORAGE", "REGISTRY_KEY_PEPPER")
METHODS = ["GET", "POST", "DELETE", "HEAD", "PATCH", "PUT", "OPTIONS"]

INDEX = """
import json, sys

# Libraries look at the machine: urllib3 binds for IPv6, azure-identity runs uname. None connects.
TOUCHES = ("socket.connect", "socket.getaddrinfo")

def refuse(event, arguments):
    writes = event == "open" and set(str(arguments[1])) & set("wax+")
    if event in TOUCHES or writes:
        raise SystemExit(f"indexing does I/O: {event} {arguments}")

sys.addaudithook(refuse)
import function_app
functions = function_app.app.get_functions()
print(json.dumps({
    function.get_function_name(): [json.loads(raw) for raw in function.get_raw_bindings()]
    for function in functions
}))
"""

EXPECTED: Manifest = {
    "admin": [
        {
            "type": "httpTrigger",
            "direction": "IN",
            "name": "req",
            "route": "api/admin/{*path}",
            "methods": METHODS,
            "authLevel": "ANONYMOUS",
        },
        {"type": "http", "direction": "OUT", "name": "$return"},
    ],
    "artifacts": [
        {
            "type": "httpTrigger",
            "direction": "IN",
            "name": "req",
            "route": "api/v1/{*path}",
            "methods": METHODS,
            "authLevel": "ANONYMOUS",
        },
        {"type": "http", "direction": "OUT", "name": "$return"},
    ],
    "blob_events": [
        {
            "type": "queueTrigger",
            "direction": "IN",
            "name": "message",
            "queueName": "%REGISTRY_BLOB_EVENTS_QUEUE%",
            "connection": "REGISTRY_STORAGE",
            "dataType": "BINARY",
        },
        {
            "type": "queue",
            "direction": "OUT",
            "name": "following",
            "queueName": "%REGISTRY_BLOB_EVENTS_QUEUE%",
            "connection": "REGISTRY_STORAGE",
        },
    ],
    "blob_uploaded": [
        {
            "type": "blobTrigger",
            "direction": "IN",
            "name": "client",
            "path": "%REGISTRY_UPLOAD_CONTAINER%/{name}",
            "connection": "REGISTRY_STORAGE",
            "source": "LogsAndContainerScan",
        },
        {
            "type": "queue",
            "direction": "OUT",
            "name": "events",
            "queueName": "%REGISTRY_BLOB_EVENTS_QUEUE%",
            "connection": "REGISTRY_STORAGE",
        },
    ],
    "start_policy_runs": [
        {
            "type": "timerTrigger",
            "direction": "IN",
            "name": "timer",
            "schedule": "%REGISTRY_POLICY_SCHEDULE%",
            "runOnStartup": False,
        },
    ],
    "advance_policy_runs": [
        {
            "type": "timerTrigger",
            "direction": "IN",
            "name": "timer",
            "schedule": "15 * * * * *",
            "runOnStartup": False,
        },
    ],
    "act_on_artifacts": [
        {
            "type": "queueTrigger",
            "direction": "IN",
            "name": "message",
            "queueName": "%REGISTRY_POLICY_ACTIONS_QUEUE%",
            "connection": "REGISTRY_STORAGE",
            "dataType": "BINARY",
        },
    ],
    "relay_audit_trail": [
        {
            "type": "timerTrigger",
            "direction": "IN",
            "name": "timer",
            "schedule": "30 * * * * *",
            "runOnStartup": False,
        },
    ],
    "seal_audit_days": [
        {
            "type": "timerTrigger",
            "direction": "IN",
            "name": "timer",
            "schedule": "0 20 * * * *",
            "runOnStartup": False,
        },
    ],
    "keep_audit_months": [
        {
            "type": "timerTrigger",
            "direction": "IN",
            "name": "timer",
            "schedule": "0 40 3 * * *",
            "runOnStartup": False,
        },
    ],
    "audit_relay": [
        {
            "type": "queueTrigger",
            "direction": "IN",
            "name": "message",
            "queueName": "%REGISTRY_AUDIT_QUEUE%",
            "connection": "REGISTRY_STORAGE",
            "dataType": "BINARY",
        },
    ],
    "fold_statistics": [
        {
            "type": "timerTrigger",
            "direction": "IN",
            "name": "timer",
            "schedule": "*/10 * * * * *",
            "runOnStartup": False,
        },
    ],
    "check_rehydrations": [
        {
            "type": "timerTrigger",
            "direction": "IN",
            "name": "timer",
            "schedule": "45 */5 * * * *",
            "runOnStartup": False,
        },
    ],
    "measure_depths": [
        {
            "type": "timerTrigger",
            "direction": "IN",
            "name": "timer",
            "schedule": "50 * * * * *",
            "runOnStartup": False,
        },
    ],
    "drain_poison_queues": [
        {
            "type": "timerTrigger",
            "direction": "IN",
            "name": "timer",
            "schedule": "0 */5 * * * *",
            "runOnStartup": False,
        },
    ],
    "builds": [
        {
            "type": "httpTrigger",
            "direction": "IN",
            "name": "req",
            "route": "api/builds/{*path}",
            "methods": METHODS,
            "authLevel": "ANONYMOUS",
        },
        {"type": "http", "direction": "OUT", "name": "$return"},
    ],
    "docs": [
        {
            "type": "httpTrigger",
            "direction": "IN",
            "name": "req",
            "route": "api/docs/{*path}",
            "methods": METHODS,
            "authLevel": "ANONYMOUS",
        },
        {"type": "http", "direction": "OUT", "name": "$return"},
    ],
    "health": [
        {
            "type": "httpTrigger",
            "direction": "IN",
            "name": "req",
            "route": "api/health/{*path}",
            "methods": METHODS,
            "authLevel": "ANONYMOUS",
        },
        {"type": "http", "direction": "OUT", "name": "$return"},
    ],
    "openapi": [
        {
            "type": "httpTrigger",
            "direction": "IN",
            "name": "req",
            "route": "api/openapi.json",
            "methods": METHODS,
            "authLevel": "ANONYMOUS",
        },
        {"type": "http", "direction": "OUT", "name": "$return"},
    ],
    "hash_artifact": [
        {
            "type": "queueTrigger",
            "direction": "IN",
            "name": "message",
            "queueName": "%REGISTRY_HASHING_QUEUE%",
            "connection": "REGISTRY_STORAGE",
            "dataType": "BINARY",
        },
    ],
    "scrub_artifacts": [
        {
            "type": "timerTrigger",
            "direction": "IN",
            "name": "timer",
            "schedule": "15 */10 * * * *",
            "runOnStartup": False,
        },
    ],
    "send_hash_requests": [
        {
            "type": "timerTrigger",
            "direction": "IN",
            "name": "timer",
            "schedule": "30 * * * * *",
            "runOnStartup": False,
        },
    ],
    "register_artifact": [
        {
            "type": "queueTrigger",
            "direction": "IN",
            "name": "message",
            "queueName": "%REGISTRY_REGISTRATIONS_QUEUE%",
            "connection": "REGISTRY_STORAGE",
            "dataType": "BINARY",
        },
    ],
}


def index(settings: dict[str, str]) -> Manifest:
    """Name → bindings, the trigger first."""
    around = {name: text for name, text in os.environ.items() if not name.startswith("REGISTRY_")}
    done = subprocess.run(
        [sys.executable, "-B", "-c", INDEX],
        cwd=PROJECT,
        env={**around, "PYTHONPATH": str(PROJECT), **settings},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    found: Manifest = json.loads(done.stdout)
    return {name: sorted(found[name], key=_direction) for name in sorted(found)}


def _direction(binding: Binding) -> str:
    return binding["direction"]


BARE = {name: text for name, text in SETTINGS.items() if name not in UNBOUND}


@pytest.mark.long
def test_the_app_has_exactly_these_functions_with_the_settings_of_the_example() -> None:
    assert index(BARE) == EXPECTED


def test_the_app_has_exactly_these_functions_and_needs_no_secret_to_say_so() -> None:
    """The source of the blob trigger alone comes from a setting that is no binding's."""
    changed = index({**BARE, "REGISTRY_BLOB_TRIGGER_SOURCE": "EventGrid"})
    (trigger, _) = changed["blob_uploaded"]
    assert trigger["source"] == "EventGrid"
    assert changed | {"blob_uploaded": EXPECTED["blob_uploaded"]} == EXPECTED


def test_no_route_is_one_that_the_host_refuses() -> None:
    host = json.loads((PROJECT / "host.json").read_text())
    prefix: str = host["extensions"]["http"]["routePrefix"]
    routes = [trigger["route"] for trigger, *_ in EXPECTED.values() if "route" in trigger]
    assert routes
    for route in routes:
        # The host looks at the route as it is written; a request, at what the prefix makes of it.
        for path in (route, f"{prefix}/{route}".lstrip("/")):
            assert path.split("/")[0].lower() not in {"admin", "runtime"}
            assert path.startswith("api/")


def test_every_setting_that_a_binding_uses_is_in_the_example() -> None:
    bindings = [binding for bound in EXPECTED.values() for binding in bound]
    used = {name for binding in bindings for name in re.findall("%([^%]+)%", json.dumps(binding))}
    used |= {binding["connection"] for binding in bindings if "connection" in binding}
    assert used
    assert used <= set(SETTINGS)
