"""From the name of a connection to a client."""

import pytest

from devhost.host.storage import ConnectionNotUsable, StorageConnections


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({}, "add SampleStorage to the app settings"),
        ({"SampleStorage__queueServiceUri": "https://x"}, "identity-based"),
        ({"SampleStorage": "nonsense"}, "is not a connection string"),
    ],
)
def test_an_unusable_connection_says_what_to_set(settings: dict[str, str], says: str) -> None:
    with pytest.raises(ConnectionNotUsable, match=says):
        StorageConnections(settings).queues("SampleStorage")


def test_a_connection_name_may_carry_the_host_s_prefix_in_the_settings() -> None:
    connections = StorageConnections(
        {"AzureWebJobsSampleStorage": "UseDevelopmentStorage=true", "SampleStorage": "nonsense"}
    )
    assert connections.queues("SampleStorage").account_name == "devstoreaccount1"
    connections.close()
