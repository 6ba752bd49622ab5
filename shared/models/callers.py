"""Callers: whoever presented a credential that is good."""

from dataclasses import dataclass

from shared.errors import ScopeMissing
from shared.models.api_keys import Scope


@dataclass(frozen=True)
class Caller:
    """Who asks, and what the credential presented with this very request allows."""

    actor: str
    """`key:<id>` or `token:<object id or subject>`; at most 255 characters, no personal data."""
    scopes: frozenset[Scope]

    def require(self, scope: Scope) -> None:
        """Raise ScopeMissing unless the credential carries this scope."""
        if scope not in self.scopes:
            raise ScopeMissing(f"The credential does not carry the scope '{scope}'.")
