"""Who may come in: one look at whatever was presented."""

from shared.errors import KeyRejected
from shared.models.callers import Caller
from shared.services.api_keys import ApiKeyService
from shared.services.tokens import TokenService


class AccessService:
    """Knows API keys, and bearer tokens where an issuer is set."""

    def __init__(self, keys: ApiKeyService, tokens: TokenService | None = None) -> None:
        self._keys = keys
        self._tokens = tokens

    def authenticate(self, key: str | None, token: str | None) -> Caller:
        """Whose credential this is; None stands for one that was not presented.

        Raises KeyRejected, the same for every reason: also where both are presented, for there is
        no telling in whose name. Raises IssuerUnavailable for a token that cannot be checked.
        """
        if key is not None and token is not None:
            raise KeyRejected
        if token is None:
            return self._keys.authenticate(key)
        if self._tokens is None:
            raise KeyRejected
        return self._tokens.authenticate(token)
