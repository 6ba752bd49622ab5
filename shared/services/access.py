"""Who may come in: one look at whatever was presented."""

from collections.abc import Collection, Sequence
from uuid import UUID

from shared.errors import KeyRejected, RegistryError
from shared.models.artifacts import Artifact
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

    def authenticate_each(
        self, presented: Sequence[tuple[str | None, str | None]]
    ) -> list[Caller | RegistryError]:
        """The same for several at once: what is presented several times is looked at once.

        What `authenticate` would raise is in its place in the answer.
        """
        answers = {given: self._answer(*given) for given in set(presented)}
        return [answers[given] for given in presented]

    async def authenticate_with_artifacts(
        self, key: str, artifact_ids: Collection[UUID]
    ) -> tuple[Caller | RegistryError, dict[UUID, Artifact]]:
        """Whose key this is, or what `authenticate` would raise; with artifacts that may be there.

        Whether the caller may see them is still to be asked.
        """
        try:
            return await self._keys.authenticate_with_artifacts(key, artifact_ids)
        except RegistryError as error:
            return error, {}

    def _answer(self, key: str | None, token: str | None) -> Caller | RegistryError:
        try:
            return self.authenticate(key, token)
        except RegistryError as error:
            return error
