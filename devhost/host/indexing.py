"""Finds the functions of an app as the language worker does: by importing it and asking it."""

import importlib
import inspect
import json
import logging
import sys
import traceback
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any, cast

import azure.functions as func

from devhost.host.errors import AppLoadError, FunctionLoadError
from devhost.host.host_config import parse_time_span
from devhost.host.model import Binding, FunctionSpec, RetryPolicy
from devhost.host.settings import is_disabled, resolve_references
from devhost.host.signature import argument_types

SCRIPT = "function_app.py"
BLOB, HTTP, QUEUE, TIMER = "blobTrigger", "httpTrigger", "queueTrigger", "timerTrigger"
TRIGGERS = frozenset({BLOB, HTTP, QUEUE, TIMER})
OUTPUTS = frozenset({"http", "queue"})

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Index:
    """An app's functions in the order of their names, and why others do not run."""

    functions: tuple[FunctionSpec, ...] = ()
    skipped: Mapping[str, str] = field(default_factory=dict[str, str])


def index_app(
    directory: Path, environment: Mapping[str, str], allowed: Collection[str] = ()
) -> Index:
    """Imports the app and describes its functions: all, or those `allowed`, in lower case.

    The names are ordered without regard to case; routes are matched in that order too. Raises
    `AppLoadError` for what makes the worker refuse the whole app.
    """
    functions: list[FunctionSpec] = []
    skipped: dict[str, str] = {}
    for indexed in sorted(_indexed_functions(directory), key=_order):
        name = str(indexed.get_function_name())
        bindings = [_read_binding(raw) for raw in indexed.get_raw_bindings()]
        types = argument_types(name, indexed.get_user_function(), bindings)
        try:
            _check_allowed(name, allowed)
            functions.append(_describe(indexed, bindings, types, environment))
        except FunctionLoadError as fault:
            skipped[name] = str(fault)
    return Index(tuple(functions), skipped)


def _order(function: func.Function) -> str:
    return str(function.get_function_name()).upper()  # as .NET's ordinal comparison does


def _indexed_functions(directory: Path) -> list[func.Function]:
    app = _only_app(_import_app(directory))
    try:
        return app.get_functions()
    except ValueError as fault:
        raise AppLoadError(f"{SCRIPT}: {fault}") from fault


def _import_app(directory: Path) -> ModuleType:
    if not (directory / SCRIPT).is_file():
        raise AppLoadError(f"there is no {SCRIPT} in {directory}")
    sys.path.insert(0, str(directory))
    try:
        return importlib.import_module(Path(SCRIPT).stem)
    except Exception as fault:  # importing runs the app's own code: it may raise anything
        frame = traceback.extract_tb(fault.__traceback__)[-1]
        place = f"{Path(frame.filename).name} line {frame.lineno}"
        raise AppLoadError(f"{place}: {type(fault).__name__}: {fault}") from fault


def _only_app(module: ModuleType) -> func.FunctionRegister:
    apps = [item for item in vars(module).values() if isinstance(item, func.FunctionRegister)]
    if len(apps) == 1:
        return apps[0]
    raise AppLoadError(f"{SCRIPT} must define exactly one FunctionApp, it defines {len(apps)}")


def _read_binding(raw: str) -> Binding:
    properties = json.loads(raw)
    return Binding(
        type=properties.pop("type"),
        name=properties.pop("name"),
        direction=properties.pop("direction").lower(),
        properties=properties,
    )


def _describe(
    indexed: func.Function,
    bindings: list[Binding],
    types: Mapping[str, Any],
    environment: Mapping[str, str],
) -> FunctionSpec:
    name = str(indexed.get_function_name())
    if is_disabled(name, environment):
        raise FunctionLoadError("disabled")
    _check_supported(bindings)
    resolved = [_resolve(binding, environment) for binding in bindings]
    trigger = next(binding for binding in resolved if binding.type in TRIGGERS)
    function: Callable[..., Any] = indexed.get_user_function()
    return FunctionSpec(
        name=name,
        trigger=trigger,
        outputs=tuple(binding for binding in resolved if binding.direction == "out"),
        callable=function,
        is_async=inspect.iscoroutinefunction(function),
        argument_types=types,
        directory=str(Path(inspect.getfile(function)).parent),
        retry=_retry_policy(indexed, trigger),
    )


def _check_allowed(name: str, allowed: Collection[str]) -> None:
    if allowed and name.lower() not in allowed:
        raise FunctionLoadError("not among the functions that the host is to run")


def _check_supported(bindings: list[Binding]) -> None:
    for binding in bindings:
        supported = OUTPUTS if binding.direction == "out" else TRIGGERS
        if binding.type not in supported:
            raise FunctionLoadError(
                f"the dev host does not support the {binding.direction} binding {binding.type!r}"
            )


def _resolve(binding: Binding, environment: Mapping[str, str]) -> Binding:
    properties = {
        key: resolve_references(value, environment) for key, value in binding.properties.items()
    }
    return Binding(binding.type, binding.name, binding.direction, properties)


def _retry_policy(indexed: func.Function, trigger: Binding) -> RetryPolicy | None:
    settings: dict[str, str] | None = cast("Any", indexed).get_settings_dict("retry_policy")
    if settings is None:
        return None
    if trigger.type != TIMER:
        _log.warning("%s: a %s ignores its retry policy", indexed.get_function_name(), trigger.type)
        return None
    fixed = settings.get("delay_interval")
    return RetryPolicy(
        max_retry_count=int(settings["max_retry_count"]),
        minimum=parse_time_span(fixed or settings["minimum_interval"]),
        maximum=parse_time_span(fixed or settings["maximum_interval"]),
    )
