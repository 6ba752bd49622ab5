"""`host.json`, as far as the dev host obeys it; the defaults are the real host's."""

import logging
import re
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any, Literal, cast

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field
from pydantic.alias_generators import to_camel
from pydantic_core import from_json

from devhost.host.errors import ConfigurationError
from devhost.host.settings import first_line

_LEVELS = {
    "trace": logging.DEBUG,
    "debug": logging.DEBUG,
    "information": logging.INFO,
    "warning": logging.WARNING,
    "error": logging.ERROR,
    "critical": logging.CRITICAL,
    "none": logging.CRITICAL + 1,
}
_TIME_SPAN = re.compile(r"(?:(\d+)\.)?(\d{1,2}):(\d{1,2})(?::(\d{1,2})(?:\.(\d{1,7}))?)?")


def parse_time_span(text: Any) -> Any:
    """A .NET `TimeSpan`, `[d.]hh:mm[:ss[.fffffff]]`; whatever is not a text passes through.

    Raises `ValueError`.
    """
    if not isinstance(text, str):
        return text
    match = _TIME_SPAN.fullmatch(text)
    if match is None:
        raise ValueError(f"{text!r} is not a time span such as 00:30:00")
    days, hours, minutes, seconds = (int(part or 0) for part in match.groups()[:4])
    fraction = float(f"0.{match[5] or 0}")
    return timedelta(days=days, hours=hours, minutes=minutes, seconds=seconds + fraction)


def _parse_timeout(text: Any) -> Any:
    return None if text in (-1, "-1") else parse_time_span(text)


def _folded(names: Any) -> Any:
    """A list as the host compares it; app settings spell one as an object: `{"0": name}`."""
    listed = list(cast("dict[str, Any]", names).values()) if isinstance(names, dict) else names
    if not isinstance(listed, list):
        return listed
    return [str(name).lower() for name in cast("list[Any]", listed)]


TimeSpan = Annotated[timedelta, BeforeValidator(parse_time_span)]


class _Section(BaseModel):
    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True, frozen=True)


class HttpConfig(_Section):
    route_prefix: str = "api"


class QueuesConfig(_Section):
    batch_size: int = Field(default=16, ge=1, le=32)
    new_batch_threshold: int | None = Field(default=None, ge=0)
    """When not given, half of the batch size; `effective_threshold` has the result."""
    max_dequeue_count: int = Field(default=5, ge=1)
    max_polling_interval: TimeSpan = timedelta(seconds=2)
    """60 s in production; 2 s in development, which this host is."""
    visibility_timeout: TimeSpan = timedelta()
    message_encoding: Literal["base64", "none"] = "base64"

    @property
    def effective_threshold(self) -> int:
        return (
            self.batch_size // 2 if self.new_batch_threshold is None else self.new_batch_threshold
        )


class Extensions(_Section):
    http: HttpConfig = HttpConfig()
    queues: QueuesConfig = QueuesConfig()


class LoggingConfig(_Section):
    log_level: dict[str, str] = Field(default_factory=dict[str, str])

    @property
    def level(self) -> int:
        """Of what the host says itself, for Python's logging."""
        return _LEVELS.get(self.log_level.get("default", "").lower(), logging.INFO)


class HostConfig(_Section):
    version: Literal["2.0"]
    extensions: Extensions = Extensions()
    logging: LoggingConfig = LoggingConfig()
    functions: Annotated[frozenset[str], BeforeValidator(_folded)] = frozenset()
    """The only ones that run here, in lower case; none named, all do."""
    function_timeout: Annotated[timedelta | None, BeforeValidator(_parse_timeout)] = timedelta(
        minutes=30
    )
    """None, written -1, lets a run last for ever."""


_OVERRIDE = "azurefunctionsjobhost"
_SPELLINGS = {
    to_camel(name).lower(): to_camel(name)
    for section in (HttpConfig, QueuesConfig, Extensions, LoggingConfig, HostConfig)
    for name in section.model_fields
}


def read_host_config(
    app_directory: Path, environment: Mapping[str, str] | None = None
) -> HostConfig:
    """`host.json`, with what app settings override in it.

    `AzureFunctionsJobHost__extensions__queues__batchSize` is such a setting: the path to a value,
    in any case, which need not stand in the file. Raises `ConfigurationError` when `host.json` is
    missing or not valid.
    """
    try:
        document = from_json((app_directory / "host.json").read_bytes())
        for name, text in (environment or {}).items():
            prefix, *path = name.split("__")
            if prefix.lower() == _OVERRIDE and path:
                _override(document, path, text)
        return HostConfig.model_validate(document)
    except (OSError, ValueError) as fault:
        raise ConfigurationError(f"host.json: {first_line(fault)}") from fault


def _override(section: Any, path: list[str], text: str) -> None:
    if not isinstance(section, dict):
        raise ConfigurationError(f"host.json: no section in which a setting has {path[0]!r}")
    known = cast("dict[str, Any]", section)
    key = _SPELLINGS.get(path[0].lower(), path[0])
    if len(path) == 1:
        known[key] = text
    else:
        _override(known.setdefault(key, {}), path[1:], text)
