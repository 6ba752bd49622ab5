"""Migrations: repeatable, safe side by side, whatever the user is called."""

import hashlib
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlsplit, urlunsplit

import psycopg
import pytest
from psycopg import sql

from shared.database.migrate import MIGRATIONS, migrate
from tests.integration.locks import wait_for_waiter

ALL = sorted(path.stem for path in MIGRATIONS.glob("*.sql"))

RELEASED = {
    "0001-assets-and-artifacts": "8a9d306456cc8591ec137846d63d81e65ce63b0dd46dbd82801e7c2b7c997a53",
    "0002-guards": "b1b4a0d613e29c8bc46d861f66e18c3f71dd367a264e0ecefbc19e5ff8acf5b9",
    "0003-registration": "edea3fe57e217f0d78915a2eff40d442dba973511ca007befa66c6a071882e07",
    "0004-transitions": "5fed5d87aecb20ce6bb247b01cf5e1a21370fa51e4ac45233ce9d4d900c8b1f8",
    "0005-changes": "378208a4586ae96d77353b2b1bbec6f2e48ce437bb89e0e64f415778427b1360",
    "0006-members": "ac594da1548b8c87ef0dd8c7eed8a8b078dffe4fb5e1301bfec22438d6ca4efe",
    "0007-statistics": "4a0a10944d04bfc2fe7bc9d81ad3c86c588893cf082e430c592523ce7e42582d",
    "0008-keys": "0404c7f42890dd7d0d66173ee45d6afc9033bc9f8dbb63cecb4b5a5e65ab0f1e",
    "0009-listing": "7c4822b240d46e9b827292ce501e7bb03c0af850573a2d09c91d340578b36bd5",
    "0010-registering-many": "fc0ede3fa4a3d7a62bfd42b446a62d3ea22a65b26d1d0d75edc26b64162985a3",
    "0011-writing-for-less": "808bce42fd7452c411cc2f3ff152412ead97c66cc0781092164d3f5505925aef",
    "0012-planned-once": "8166a025ecad69c79ddef380cb572f9ca8eb0d7fa416df72cbcfc2c3f7b62d80",
    "0013-ingestion-rules": "92e003807cdc803b601a098d0a2e82bfe5b02be39284907b771b4c162b5b4bc4",
    "0014-locations": "0c003bbc3502013be22fc94c269037759b130e831dde4ae236939629ed1d13ac",
    "0015-set-aside": "034d27cb7b2e272b392b125ec345ea93dabec1bd79f95663c1cbcb8af724d913",
    "0016-backfills": "6c065abd937987781cecbab2d2ff6528815bb0dbaa667214c911cc13255b171a",
    "0017-holds": "90d1077be6feb81707e2d55956857aed7a8116027d4eb6e1445dd9f445e09c2e",
    "0018-policies": "0d7c5591c132d15fc77a56c5104db76d6fbef6e9ee4791fa8d4936dc5ff50d6b",
    "0019-policy-runs": "9ec789ef41cc4b9d70d9aa989c818787bb01e65895d1e11d00a781019a06c226",
    "0020-rehydration": "5566ea9e991d0ba034d800397565fe8c2e76a068f3bc999dd96267d2f671fc22",
    "0021-byte-history": "0d417e7d319645eca2b9170fdd15692f4050a30dbee07445cc345c2e88ccd972",
    "0022-default-policies": "e1d68759dca67a6673975bf3c504d229c5ef8a5dac6bc112a2a052863c02c78a",
    "0023-builds": "16ff1add29aeb2cffd83c3a83315c6337fff4c3d8e32eec1fc83d9c38f79e01c",
    "0024-build-artifacts": "eb93392dbbc7a69a3258ebd0c4db17f94021d8c3247517b871758c5ded98428d",
    "0025-build-dashboard": "174ba9d6149b9cf3eb13140b09c369020107c4bd5da4fee6d949e0d751fdc18b",
    "0026-usable-artifacts": "e2a175b60d691bd0906f70573bad3a420e5d7d6d5f7b171644300583ee8738de",
    "0027-audit-trail": "16acefe2ef0c5b66aeac3b935dd3f47044d638f6e2fd238c0024794a1d03fb18",
    "0029-integrity": "bf0bee3e1fb01d16529d54de2f53648891e706ea0948b2cfd9a18fed1ccb7d69",
    "0030-figures": "8ba7c1f48a3e2f1c7aba4efef5852b7d16961e7fd303f30899666fc7c5298bb5",
    "0031-attempts": "fab46237bc8dea67831b2413919f1c320543eb8eb1ae5db64272dc70fdd5da9b",
}


@pytest.fixture
def empty_database(postgres: str, unique_name: str) -> Iterator[str]:
    """URL of an empty database whose search path is that of a user called `registry`."""
    name = sql.Identifier(unique_name)
    with psycopg.connect(postgres, autocommit=True) as connection:
        connection.execute(sql.SQL("CREATE DATABASE {}").format(name))
        connection.execute(
            sql.SQL("ALTER DATABASE {} SET search_path = registry, public").format(name)
        )
        yield urlunsplit(urlsplit(postgres)._replace(path=f"/{unique_name}"))
        connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(name))


def test_migrating_again_applies_nothing(empty_database: str) -> None:
    assert migrate(empty_database) == ALL
    assert migrate(empty_database) == []


def test_a_deployment_that_was_killed_leaves_nothing_that_blocks_the_next(
    empty_database: str,
) -> None:
    with psycopg.connect(empty_database) as holder:
        # Migrating waits for this schema to come or go, its locks in hand, until it is killed.
        holder.execute("CREATE SCHEMA registry")
        code = "import sys; from shared.database.migrate import migrate; migrate(sys.argv[1])"
        killed = subprocess.Popen([sys.executable, "-c", code, empty_database])
        wait_for_waiter(holder)
        killed.kill()
        killed.wait()
        holder.execute("DROP SCHEMA registry")
    assert migrate(empty_database) == ALL


def test_deployments_side_by_side_apply_each_migration_once(empty_database: str) -> None:
    with ThreadPoolExecutor(4) as threads:
        applied = list(threads.map(migrate, [empty_database] * 4))
    assert sorted(name for names in applied for name in names) == ALL


def test_a_migration_that_was_released_stays_as_it_is() -> None:
    """Databases that have it never see an edit: what it leaves out, the next migration brings."""
    digests = {
        name: hashlib.sha256((MIGRATIONS / f"{name}.sql").read_bytes()).hexdigest()
        for name in RELEASED
    }
    assert digests == RELEASED


def test_the_history_of_bytes_begins_while_somebody_writes(empty_database: str) -> None:
    """Whoever writes has an artifact, then notes its change: a migration that waits has neither."""
    migrate(empty_database)
    text = (MIGRATIONS / "0021-byte-history.sql").read_text()
    begun = text[: text.index("CREATE TABLE")].encode()
    notes = text[text.index("ALTER TABLE registry.artifact_changes") :]
    changed = notes[: notes.index(";")].replace("ADD COLUMN", "ADD COLUMN IF NOT EXISTS").encode()
    with (
        psycopg.connect(empty_database) as writer,
        psycopg.connect(empty_database) as migration,
        ThreadPoolExecutor(1) as threads,
    ):
        writer.execute("LOCK TABLE registry.artifacts IN ROW EXCLUSIVE MODE")
        applied = threads.submit(lambda: [migration.execute(begun), migration.execute(changed)])
        wait_for_waiter(writer)
        writer.execute(
            "INSERT INTO registry.artifact_changes (asset_id, new_status, new_assets) "
            "VALUES (gen_random_uuid(), 'active', 1)"
        )
        writer.commit()
        applied.result()
