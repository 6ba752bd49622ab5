"""What was there before is registered by a command at once, and hashed by the app when it runs."""

import hashlib
import json

from devhost.stack.azurite import Azurite
from tests.end_to_end.conftest import RunApp
from tests.end_to_end.waiting import PATIENCE_SECONDS, wait_for

TICK_SECONDS = 60.0
"""Of the timer, which makes up for no tick that it missed: the next one is soon enough."""
HASHES = "SELECT blob_path, content_hash FROM registry.artifacts ORDER BY blob_path"


def test_blobs_that_were_there_before_are_registered_now_and_hashed_later(
    run_app: RunApp, database_url: str, azurite: Azurite
) -> None:
    blobs = {f"old/{number}.tif": f"pixels {number}".encode() for number in range(3)}
    with run_app(database_url, azurite) as (app, ground):
        assert app.stop() == 0
        for name, content in blobs.items():
            ground.put(name, content)
        told = app.command("backfill", ground.others.container_name, "--output", "json")
        assert json.loads(told)["created"] == len(blobs)
        assert [tuple(row.values()) for row in ground.rows(HASHES)] == [
            (name, None) for name in blobs
        ]
        app.start()
        wait_for(
            "the hashes",
            lambda: all(row["content_hash"] for row in ground.rows(HASHES)),
            TICK_SECONDS + PATIENCE_SECONDS,
        )
        assert [tuple(row.values()) for row in ground.rows(HASHES)] == [
            (name, "1220" + hashlib.sha256(content).hexdigest()) for name, content in blobs.items()
        ]
        ground.wait_until_drained()
        assert "Traceback" not in app.log
