"""The token issuer: where it publishes the keys that it signs with."""

import urllib3

from shared.errors import IssuerUnavailable

_SECONDS = 5.0
_MAXIMUM_BYTES = 512 * 1024


class Issuer:
    """Asks once and never long: whoever waits for the answer holds up a request."""

    def __init__(self, keys_url: str) -> None:
        self._keys_url = keys_url
        self._pool = urllib3.PoolManager(
            timeout=urllib3.Timeout(total=_SECONDS), retries=urllib3.Retry(False)
        )

    def read_keys(self) -> bytes:
        """The published document as it is.

        Raises IssuerUnavailable for whatever comes instead: a redirect too, for it would lead away
        from the address that the operator trusts.
        """
        try:
            answer = self._pool.request("GET", self._keys_url, preload_content=False)
            try:
                document = answer.read(_MAXIMUM_BYTES + 1)
            finally:
                answer.close()
        except (urllib3.exceptions.HTTPError, OSError) as error:
            raise IssuerUnavailable from error
        if answer.status != 200 or len(document) > _MAXIMUM_BYTES:
            raise IssuerUnavailable
        return document
