"""The source document's commands, as they stand there, and what they write."""

import json

from tests.integration.cli.conftest import Terminal

SHA = "abcdef0123456789" * 4
SNAPSHOT = "s3://my-builds/project-123/build-456/state-20/snapshot.qcow2"
TABLE = """\
┌─{0}─┬──────────────────┬─────────────┬────────────┬────────┐
│ {1} │ Name             │ Type        │ State Code │ Size   │
├─{0}─┼──────────────────┼─────────────┼────────────┼────────┤
│ {2} │ base-vm-snapshot │ vm_snapshot │ 20         │ 2.0 GB │
│ {3} │ configured-vm    │ vm_snapshot │ 35         │ 3.0 GB │
└─{0}─┴──────────────────┴─────────────┴────────────┴────────┘
"""


def create(server: Terminal, build_id: str, *more: str) -> dict[str, object]:
    """The document's `artifact create`."""
    return server.read(
        *("artifact", "create", build_id, "--name", "base-vm-snapshot", "--type", "vm_snapshot"),
        *("--path", SNAPSHOT, "--state", "20", "--backend", "s3", "--region", "us-east-1"),
        *("--bucket", "my-builds", "--key", "project-123/build-456/state-20/snapshot.qcow2"),
        *("--size", "2147483648", "--checksum", SHA, *more),
    )


def test_a_state_with_its_artifact(server: Terminal, build_id: str) -> None:
    path = "s3://my-builds/project-123/build-456/state-25/base-image.qcow2"
    told = server.read(
        *("build", "add-state", build_id, "--state", "25", "--status", "completed"),
        *("--storage-type", "s3", "--storage-path", path),
        *("--artifact-size", "2147483648", "--checksum", SHA),
    )
    assert (told["state"], told["status"]) == (25, "completed")
    assert (told["artifact_storage_type"], told["artifact_storage_path"]) == ("s3", path)
    assert (told["artifact_size_bytes"], told["artifact_checksum"]) == (2147483648, SHA)
    assert server.read("build", "states", build_id) == [told]


def test_a_registered_artifact_is_shown_as_json(server: Terminal, build_id: str) -> None:
    made = create(server, build_id, "--resumable")
    shown = server.run("artifact", "get", build_id, str(made["id"]))
    assert shown.exit_code == 0, shown.stderr
    assert json.loads(shown.stdout) == made
    assert made["artifact_path"] == SNAPSHOT
    assert (made["storage_region"], made["storage_bucket"]) == ("us-east-1", "my-builds")
    assert (made["checksum"], made["checksum_algorithm"]) == (SHA, "sha256")
    assert (made["is_resumable"], made["is_final"]) == (True, False)


def test_the_table_of_resumable_artifacts(server: Terminal, build_id: str) -> None:
    first = create(server, build_id)["id"]
    second = server.read(
        *("artifact", "create", build_id, "--name", "configured-vm", "--type", "vm_snapshot"),
        *("--path", "s3://my-builds/35", "--state", "35", "--backend", "s3"),
        *("--size", "3221225472", "--resumable"),
    )["id"]
    server.read(
        *("artifact", "create", build_id, "--name", "log", "--type", "config_file"),
        *("--path", "s3://my-builds/log", "--state", "20", "--backend", "s3", "--no-resumable"),
    )
    shown = server.run("artifact", "list-resumable", build_id)
    assert shown.exit_code == 0, shown.stderr
    title = "Artifact ID".ljust(36)
    assert shown.stdout == TABLE.format("─" * 36, title, first, second)
    assert "log" in server.run("artifact", "list", build_id).stdout


def test_an_artifact_becomes_the_final_one(server: Terminal, build_id: str) -> None:
    made = create(server, build_id)
    name = "rhel-9-base-final"
    told = server.read("artifact", "update", build_id, str(made["id"]), "--final", "--name", name)
    assert (told["artifact_name"], told["is_final"]) == (name, True)
    assert told["is_resumable"] is True
    assert server.read("artifact", "list", build_id, "--final") == [told]
