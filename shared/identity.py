"""The app's one identity: who it is to Azure, where no key and no password says so."""

from functools import cached_property
from typing import Any

from azure.core.credentials import AccessToken, TokenCredential
from azure.core.exceptions import AzureError, ClientAuthenticationError

from shared.errors import DatabaseUnavailable

_DATABASES = "https://ossrdbms-aad.database.windows.net/.default"
"""What tokens for PostgreSQL are made out to, in Azure's public cloud."""


class NoToken(ClientAuthenticationError):
    """The identity gets no token: it has none, or who gives them out is not to be reached."""


class Identity(TokenCredential):
    """Whoever azure-identity finds this process to be: a managed identity, or who signed in.

    Any number of threads may ask. Tokens are kept by azure-identity, but for those of a person.
    """

    def __init__(self, credential: TokenCredential | None = None) -> None:
        """Asks nobody yet."""
        self._given = credential

    def get_token(self, *scopes: str, **options: Any) -> AccessToken:
        """What the Azure SDK sends along. Raises NoToken, which repeats nothing of what was said:
        that names tenants, and people."""
        try:
            return self._credential.get_token(*scopes, **options)
        except (AzureError, OSError, ValueError):
            raise NoToken("The app's identity gets no token.") from None

    def password(self) -> str:
        """What PostgreSQL takes for one until it expires. Raises DatabaseUnavailable."""
        try:
            return self.get_token(_DATABASES).token
        except NoToken as fault:
            raise DatabaseUnavailable(
                "The app's identity gets no token for the database."
            ) from fault

    @cached_property
    def _credential(self) -> TokenCredential:
        if self._given:
            return self._given
        from azure.identity import DefaultAzureCredential  # noqa: PLC0415 - slow, and rarely used

        return DefaultAzureCredential()
