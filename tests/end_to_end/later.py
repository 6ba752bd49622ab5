"""A storage account for which time has passed, so that no test waits for it.

A message whose worker died stays invisible for the ten minutes that the host asked for.
"""

import os
from datetime import timedelta
from pathlib import Path

from devhost.stack.azurite import Azurite

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
