"""Which registry a command talks to, and with which credential.

An option beats the environment, which beats the profile. A profile's key goes to the profile's own
address only: an address from elsewhere needs a key from elsewhere.
"""

import os
from dataclasses import dataclass, field
from ipaddress import ip_address
from typing import TYPE_CHECKING

from cli.misuse import refuse
from cli.profiles import Profile, read_profiles

if TYPE_CHECKING:
    import httpx

_DEFAULT_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True)
class ConnectionOptions:
    """What was said on the command line or in the environment."""

    url: str | None = None
    profile: str | None = None
    insecure: bool = False


@dataclass(frozen=True)
class Connection:
    """A registry's address, which ends in a slash, and the header that proves who asks."""

    url: str
    credential: dict[str, str] = field(repr=False)
    is_local: bool


def resolve_connection(options: ConnectionOptions) -> Connection:
    """Raises Misuse where it is not clear whom to ask, or where it is not safe to."""
    # The file is not even opened where the environment says everything.
    profile = _profile(options) if _needs_profile(options) else None
    url = options.url or (profile.url if profile else None)
    if url is None:
        refuse("no registry is named: use --url, REGISTRY_API_URL or a profile")
    insecure = options.insecure or (profile is not None and profile.insecure)
    address = checked_url(url, insecure=insecure)
    return Connection(str(address), _credential(address, profile), is_loopback(address.host))


def checked_url(text: str, *, insecure: bool) -> "httpx.URL":
    """An address of a registry, with a slash at its end.

    Raises Misuse for what is none, and for one to which a key would travel in clear text.
    """
    import httpx  # noqa: PLC0415 - slow: who asks for help pays nothing

    try:
        url = httpx.URL(text)
    except httpx.InvalidURL:
        refuse("the registry's URL cannot be read")
    if url.scheme not in _DEFAULT_PORTS or not url.host:
        refuse("the registry's URL begins with https:// and a host")
    if url.userinfo or url.query or url.fragment:
        refuse("the registry's URL has no user, query or fragment")
    if url.scheme == "http" and not insecure and not is_loopback(url.host):
        refuse("over http:// the key could be read on its way: use https://, or say --insecure")
    return url.copy_with(path=url.path.rstrip("/") + "/")


def checked_key(text: str) -> str:
    """A credential that a header can carry. Raises Misuse."""
    if not text.isascii() or not text.isprintable() or " " in text:
        refuse("the key or token has marks in it that none has")
    return text


def is_loopback(host: str) -> bool:
    """Whether what is sent there stays on this machine."""
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def _needs_profile(options: ConnectionOptions) -> bool:
    given = os.environ.get("REGISTRY_API_KEY") or os.environ.get("REGISTRY_TOKEN")
    return options.profile is not None or not (options.url and given)


def _profile(options: ConnectionOptions) -> Profile | None:
    known = read_profiles()
    name = options.profile or known.active
    if name is None:
        return None
    if name not in known.profiles:
        refuse(f"there is no profile {name}: see 'registry profile list'")
    return known.profiles[name]


def _credential(address: "httpx.URL", profile: Profile | None) -> dict[str, str]:
    key, token = os.environ.get("REGISTRY_API_KEY"), os.environ.get("REGISTRY_TOKEN")
    if key and token:
        refuse("REGISTRY_API_KEY and REGISTRY_TOKEN are both set: only one can be used")
    if token:
        return {"Authorization": f"Bearer {checked_key(token)}"}
    if key:
        return {"X-API-Key": checked_key(key)}
    if profile is None or profile.api_key is None:
        refuse("there is no key: set REGISTRY_API_KEY or REGISTRY_TOKEN, or use a profile")
    if checked_url(profile.url, insecure=True) != address:
        refuse(f"the key of profile {profile.name} is for {profile.url} only: set REGISTRY_API_KEY")
    return {"X-API-Key": checked_key(profile.api_key)}
