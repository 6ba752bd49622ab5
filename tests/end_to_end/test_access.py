"""Who gets in, and what stays inside: keys, secrets and the log."""

import json
import secrets
import subprocess
import sys

import pytest
from psycopg import sql

from devhost.stack.app_process import PROJECT
from devhost.stack.azurite import Azurite
from tests.end_to_end.ground import Ground
from tests.end_to_end.notices import event_grid, plain
from tests.end_to_end.running_app import RunningApp
from tests.end_to_end.waiting import wait_for

MISSING = "/api/admin/artifacts/01890a5d-ac96-774b-bcce-b302099a8057"
WRONG_KEY = f"ark_{secrets.token_urlsafe(32)}"


@pytest.mark.parametrize("key", ["", WRONG_KEY, "nonsense"], ids=["none", "unknown", "malformed"])
def test_without_a_valid_key_nothing_is_told(app: RunningApp, key: str) -> None:
    answer = app.get(MISSING, key=key)
    assert answer.status_code == 401
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["www-authenticate"] == "ApiKey, Bearer"


def test_a_key_that_may_read_reads(app: RunningApp) -> None:
    assert app.get(MISSING, key=app.key("read")).status_code == 404


def test_a_key_that_may_only_write_does_not_read(app: RunningApp) -> None:
    answer = app.get(MISSING, key=app.key("write"))
    assert answer.status_code == 403
    assert answer.json()["type"] == "urn:artifact-registry:problem:scope-missing"


def test_probes_need_no_key(app: RunningApp) -> None:
    assert app.get("/api/health/live", key="").status_code == 200
    ready = app.get("/api/health/ready", key="")
    assert ready.status_code == 200
    states = [check["status"] for check in ready.json()["checks"].values()]
    assert len(states) >= 2
    assert set(states) == {"ok"}


def test_no_secret_reaches_the_log_or_the_database(
    app: RunningApp, ground: Ground, azurite: Azurite
) -> None:
    signature = secrets.token_hex(16)
    mark = f"secret/{secrets.token_hex(8)}.tif"
    event = event_grid(ground.account, "no-such-container", mark)
    event["data"]["url"] += f"?sv=2025-01-05&sig={signature}"
    ground.events.send_message(plain(event))
    ground.uploads.upload_blob(mark, b"pixels")
    wait_for("the upload", lambda: mark in ground.revisions(ground.uploads))
    ground.wait_until_drained()
    for key in (app.key("read"), app.key("write"), WRONG_KEY):
        app.get(MISSING, key=key)

    stored = everything_stored(ground)
    assert mark in stored, "what was stored is what is looked through"
    assert "message set aside" in app.log
    hidden = [*app.keys, WRONG_KEY, app.pepper, azurite.account_key, signature]
    for secret in hidden:
        for text in (secret, secret.encode().hex()):
            assert text not in app.log
            assert text not in stored


def everything_stored(ground: Ground) -> str:
    """Every row of every table as JSON; bytes stand in it as hexadecimal digits and as text."""
    tables = ground.rows(
        "SELECT table_name FROM information_schema.tables"
        " WHERE table_schema = 'registry' AND table_type = 'BASE TABLE'"
    )
    assert {"api_keys", "artifacts", "set_aside_messages"} <= {
        table["table_name"] for table in tables
    }
    rows = [
        row
        for table in tables
        for row in ground.rows(
            sql.SQL("SELECT to_jsonb(stored) AS stored FROM registry.{} AS stored").format(
                sql.Identifier(table["table_name"])
            )
        )
    ]
    return json.dumps(rows)


def test_the_log_tells_of_registrations_and_not_of_requests(
    app: RunningApp, ground: Ground
) -> None:
    ground.uploads.upload_blob("logged.tif", b"pixels")
    wait_for("the upload", lambda: "logged.tif" in ground.revisions(ground.uploads))
    assert " INFO shared.services.ingestion_blobs: blob registered: outcome=created" in app.log
    for noise in ("Request URL", "Request method", "Response status", "http_logging_policy"):
        assert noise not in app.log


def test_the_app_itself_keeps_the_sdk_quiet() -> None:
    """The dev host does so too and would hide it; the real worker logs at INFO."""
    code = """
import logging
logging.basicConfig(level=logging.INFO)
import function_app
from shared import bootstrap
bootstrap.registry()
print(logging.getLogger("azure.core.pipeline.policies.http_logging_policy").isEnabledFor(20))
"""
    settings = {
        "REGISTRY_DATABASE_URL": "postgresql://127.0.0.1:1/unused",
        "REGISTRY_STORAGE": "UseDevelopmentStorage=true",
        "REGISTRY_KEY_PEPPER": secrets.token_hex(32),
    }
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=PROJECT,
        env={"PYTHONPATH": str(PROJECT), **settings},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == "False\n"
