"""One storage queue, looked at from outside: the host sends to it and receives from it."""

from azure.storage.queue import QueueClient

from shared.storage.faults import account_faults
from shared.storage.patience import CHECK_OPTIONS, CLIENT_OPTIONS


class StorageQueue:
    """A queue of the account that a connection string names. Any number of threads may ask."""

    def __init__(self, connection_string: str, name: str) -> None:
        self._client = QueueClient.from_connection_string(connection_string, name, **CLIENT_OPTIONS)

    def check(self) -> None:
        """Return within seconds when the queue is there; raises StorageUnavailable."""
        with account_faults():
            self._client.get_queue_properties(**CHECK_OPTIONS)
