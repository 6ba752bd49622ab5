"""The file that keeps addresses and keys of registries, for its owner's eyes only."""

import configparser
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from io import StringIO
from pathlib import Path

from cli.misuse import refuse
from cli.private_files import read_private, write_private

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_SETTINGS = "settings"
_PREFIX = "profile "


@dataclass(frozen=True)
class Profile:
    """A registry under a name."""

    name: str
    url: str
    api_key: str | None = field(repr=False)
    insecure: bool = False

    @property
    def masked_key(self) -> str:
        """Enough to tell two keys apart, and of no other use."""
        if self.api_key is None:
            return ""
        return f"{self.api_key[:4]}…{self.api_key[-4:]}" if len(self.api_key) >= 20 else "…"


@dataclass(frozen=True)
class Profiles:
    """All of them, and which one counts where none is named."""

    profiles: Mapping[str, Profile]
    active: str | None


def profiles_path() -> Path:
    """Where the file is, whether it exists or not (XDG Base Directory)."""
    base = Path(os.environ.get("XDG_CONFIG_HOME") or "")
    directory = base if base.is_absolute() else Path.home() / ".config"
    return directory / "artifact-registry" / "profiles.ini"


def checked_name(name: str) -> str:
    """Raises Misuse for what is no name of a profile."""
    if not _NAME.fullmatch(name):
        refuse("a profile's name has up to 64 letters, digits, dots, hyphens and underscores")
    return name


def read_profiles() -> Profiles:
    """Raises Misuse where the file can be read by others, or not be understood."""
    path = profiles_path()
    text = read_private(path)
    return Profiles({}, None) if text is None else _understand(path, text)


def write_profiles(known: Profiles) -> None:
    """Replace the file at once. Raises Misuse."""
    text = StringIO()
    _described(known).write(text)
    write_private(profiles_path(), text.getvalue())


def _parser() -> configparser.ConfigParser:
    return configparser.ConfigParser(
        interpolation=None, default_section="", delimiters=("=",), comment_prefixes=("#",)
    )


def _understand(path: Path, text: str) -> Profiles:
    parser = _parser()
    try:
        parser.read_string(text)
        profiles = [
            _profile(name.removeprefix(_PREFIX), parser[name])
            for name in parser.sections()
            if name.startswith(_PREFIX)
        ]
    except (configparser.Error, KeyError, ValueError):
        # What configparser says repeats the line, which may hold a key.
        refuse(f"{path} is not a file of profiles")
    active = parser.get(_SETTINGS, "active", fallback=None)
    return Profiles({profile.name: profile for profile in profiles}, active)


def _profile(name: str, section: configparser.SectionProxy) -> Profile:
    return Profile(
        name=name,
        url=section["url"],
        api_key=section.get("api_key") or None,
        insecure=section.getboolean("insecure", fallback=False),
    )


def _described(known: Profiles) -> configparser.ConfigParser:
    parser = _parser()
    if known.active is not None:
        parser[_SETTINGS] = {"active": known.active}
    for profile in known.profiles.values():
        values = {"url": profile.url, "insecure": str(profile.insecure).lower()}
        if profile.api_key is not None:
            values["api_key"] = profile.api_key
        parser[_PREFIX + profile.name] = values
    return parser
