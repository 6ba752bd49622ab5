"""Time that has passed, for a storage account or a timer, so that no test waits for it.

A message whose worker died stays invisible for the ten minutes that the host asked for.
"""

import json
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

from azure.storage.blob import BlobServiceClient

from devhost.stack.azurite import Azurite
from tests.end_to_end.running_app import RunningApp

INVISIBLE = timedelta(minutes=10)
_CLOCK = Path(__file__).with_name("clock_ahead.cjs")


def restart_later(azurite: Azurite, by: timedelta = INVISIBLE + timedelta(minutes=1)) -> None:
    """Stop the emulator, when it runs, and start it on the same data with its clock ahead."""
    azurite.stop()
    # Given to it alone: other threads of the test may be looking through our own environment.
    azurite.start(
        {
            "NODE_OPTIONS": f'--require "{os.fspath(_CLOCK)}"',
            "CLOCK_AHEAD_MILLISECONDS": str(int(by.total_seconds() * 1000)),
        }
    )


def start_late(app: RunningApp, azurite: Azurite, timer: str) -> None:
    """Start an app one of whose timers was due while none ran, so that it runs at once."""
    last = datetime.now(UTC).replace(minute=0, second=0, microsecond=0) - timedelta(hours=1)
    status = {"Last": last, "Next": last + timedelta(minutes=5), "LastUpdated": last}
    content = json.dumps({name: at.isoformat() for name, at in status.items()})
    with BlobServiceClient.from_connection_string(azurite.connection_string) as service:
        path = f"timers/{app.host_id}/{timer}/status"
        service.get_blob_client("azure-webjobs-hosts", path).upload_blob(content, overwrite=True)
    app.start()
