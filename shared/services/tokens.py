"""Bearer tokens of Entra ID: signed JSON Web Tokens (RFC 7519), and what they allow."""

import re
from typing import Any

import jwt
from jwt.types import Options

from shared.errors import KeyRejected
from shared.models.api_keys import Scope
from shared.models.callers import Caller
from shared.services.signing_keys import SigningKeys

ROLE_SCOPES = {
    "Registry.Read": Scope.READ,
    "Registry.Write": Scope.WRITE,
    "Registry.Admin": Scope.ADMIN,
}
"""App role → scope, one to one. A role of another name allows nothing."""

_ALGORITHM = "RS256"
"""Never what a token says of itself: `none`, or the public key taken as a shared secret."""
_LEEWAY_SECONDS = 60
_FORM = re.compile(r"[A-Za-z0-9_-]{1,4096}\.[A-Za-z0-9_-]{1,32768}\.[A-Za-z0-9_-]{1,2048}")
_SUBJECT = re.compile(r"[A-Za-z0-9._|:~+/=-]{1,200}")
"""No `@`: an issuer that names people by their addresses would write them into the audit trail."""
_OPTIONS: Options = {
    "require": ["iss", "aud", "exp", "nbf", "iat"],
    "strict_aud": True,
    "enforce_minimum_key_length": True,
}


class TokenService:
    """Believes one issuer, and only tokens that it made for this registry."""

    def __init__(self, issuer: str, audience: str, signing_keys: SigningKeys) -> None:
        self._issuer = issuer
        self._audience = audience
        self._signing_keys = signing_keys

    def authenticate(self, token: str) -> Caller:
        """Whose token this is, and what its roles allow; no role allows nothing.

        Raises KeyRejected, which says the same whatever is wrong with it; IssuerUnavailable while
        nobody can tell.
        """
        if not _FORM.fullmatch(token):
            raise KeyRejected
        try:
            claims = self._verified_claims(token)
        except jwt.PyJWTError:
            raise KeyRejected from None  # the cause may quote the token
        return Caller(_actor_of(claims), _scopes_of(claims))

    def _verified_claims(self, token: str) -> dict[str, Any]:
        key = self._signing_keys.find(_key_id_of(token))
        if key is None:
            raise KeyRejected
        return jwt.decode(
            token,
            key,
            algorithms=[_ALGORITHM],
            options=_OPTIONS,
            issuer=self._issuer,
            audience=self._audience,
            leeway=_LEEWAY_SECONDS,
        )


def _key_id_of(token: str) -> str:
    """Which key to try; looked at before anything is verified, and trusted for nothing else."""
    header = jwt.get_unverified_header(token)
    key_id: object = header.get("kid")
    if header.get("alg") != _ALGORITHM or not isinstance(key_id, str):
        raise KeyRejected
    return key_id


def _actor_of(claims: dict[str, Any]) -> str:
    subject: object = claims["oid"] if "oid" in claims else claims.get("sub")
    if not isinstance(subject, str) or not _SUBJECT.fullmatch(subject):
        raise KeyRejected
    return f"token:{subject}"


def _scopes_of(claims: dict[str, Any]) -> frozenset[Scope]:
    roles: object = claims.get("roles", [])
    if not isinstance(roles, list):
        raise KeyRejected
    return frozenset(scope for role, scope in ROLE_SCOPES.items() if role in roles)
