"""App settings: `local.settings.json`, `%Name%` references and disabled functions."""

import re
from collections.abc import Mapping, MutableMapping
from pathlib import Path
from typing import Any, cast

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic.alias_generators import to_pascal

from devhost.host.errors import ConfigurationError, FunctionLoadError

_REFERENCE = re.compile(r"%([^%]+)%")


class LocalSettings(BaseModel):
    """The part of `local.settings.json` that a running app sees."""

    model_config = ConfigDict(alias_generator=to_pascal, coerce_numbers_to_str=True)

    is_encrypted: bool = False
    values: dict[str, str] = Field(default_factory=dict)


def read_local_settings(path: Path) -> LocalSettings:
    """Raises `ConfigurationError` when the file is not one that Core Tools would write."""
    try:
        settings = LocalSettings.model_validate_json(path.read_bytes())
    except (OSError, ValidationError) as fault:
        raise ConfigurationError(f"{path.name}: {first_line(fault)}") from fault
    if settings.is_encrypted:
        raise ConfigurationError(f"{path.name}: encrypted settings cannot be read here")
    return settings


def apply_local_settings(settings: LocalSettings, environment: MutableMapping[str, str]) -> None:
    """Adds each value to the environment; one that is already set there wins."""
    for name, value in settings.values.items():
        environment.setdefault(name, value)


def resolve_references(value: Any, environment: Mapping[str, str]) -> Any:
    """The value with each `%Name%` in its texts replaced by that app setting.

    Raises `FunctionLoadError` for a name that is not set.
    """
    if isinstance(value, str):
        return _REFERENCE.sub(lambda match: _setting(match[1], environment), value)
    if isinstance(value, list):
        return [resolve_references(item, environment) for item in cast("list[Any]", value)]
    return value


def is_disabled(function_name: str, environment: Mapping[str, str]) -> bool:
    """Whether `AzureWebJobs.NAME.Disabled`, or its spelling for Linux, switches it off."""
    names = (f"AzureWebJobs.{function_name}.Disabled", f"AzureWebJobs_{function_name}_Disabled")
    return any(environment.get(name, "").lower() in {"true", "1"} for name in names)


def first_line(fault: Exception) -> str:
    """The fault as one line, with the place in the document that a validation names."""
    if not isinstance(fault, ValidationError):
        return str(fault).strip().split("\n")[0]
    error = fault.errors()[0]
    place = ".".join(str(part) for part in error["loc"])
    return f"{place}: {error['msg']}" if place else error["msg"]


def _setting(name: str, environment: Mapping[str, str]) -> str:
    try:
        return environment[name]
    except KeyError:
        raise FunctionLoadError(f"app setting {name!r} is not set") from None
