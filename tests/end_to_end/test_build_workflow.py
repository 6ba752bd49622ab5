"""The source document's own workflow: two servers, one build, and artifacts between them."""

import hashlib
import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from devhost.stack.azurite import Azurite
from tests.end_to_end.build_servers import IMAGE, BuildServer, build_server
from tests.end_to_end.ground import Ground
from tests.end_to_end.running_app import RunningApp
from tests.end_to_end.test_policies import ask, candidates

PROJECT = "linux-images"
CATALOGUE = {
    "states": [
        {
            "code": 10,
            "name": "base-image-created",
            "initial": True,
            "required_artifacts": ["state-10"],
        },
        {"code": 20, "name": "package-installation"},
        {"code": 100, "name": "published", "final": True},
    ]
}
POLICY: dict[str, Any] = {
    "name": "builds",
    "kind": "delete",
    "clock": "created",
    "age": "PT0S",
    "enabled": False,
    # Without a status, the newest revisions would be left alone.
    "selector": {"client_type": "build", "status": "active"},
}


@dataclass(frozen=True)
class Workflow:
    """A build whose first half is done."""

    build_id: str
    first: BuildServer
    """It writes: it did state 10, and it tells how the build goes on."""
    second: BuildServer
    """It only reads."""

    @property
    def context(self) -> dict[str, Any]:
        """As the second server is told where to resume."""
        return self.second.ask("GET", "/resume-context")

    @property
    def artifact(self) -> dict[str, Any]:
        """What state 10 left behind."""
        (found,) = self.second.ask("GET", "/artifacts?is_resumable=true")
        return found

    def fail(self) -> None:
        """Have packages being installed when the build fails."""
        self.tell("package-installation", status="in_progress")
        self.first.ask("POST", "/failure", {"message": "the mirror did not answer"})

    def tell(self, state: str, **told: str) -> None:
        """That it is completed, unless a status says otherwise."""
        self.first.ask("POST", "/state", {"state_name": state, **told})


@pytest.fixture
def workflow(app: RunningApp, ground: Ground, azurite: Azurite, tmp_path: Path) -> Workflow:
    """The document's script has run, from its first line to its last."""
    ask(app, "PUT", f"/api/builds/projects/{PROJECT}", CATALOGUE)
    first, second = (
        build_server(tmp_path / name, app, azurite, ground.others, may_write=name == "first")
        for name in ("first", "second")
    )
    number = f"rhel-9-{uuid.uuid4().hex}"
    build_id = first.read("build", "create", number, "--project", PROJECT)["id"]
    first, second = first.working_on(build_id), second.working_on(build_id)
    done = first.script("complete_build.sh")
    assert done.returncode == 0, done.stderr + done.stdout
    assert done.stdout.endswith("Checksum verified successfully!\n")
    return Workflow(build_id, first, second)


def test_what_the_documents_script_made_is_an_artifact_as_any(
    app: RunningApp, workflow: Workflow
) -> None:
    assert_registered(app, workflow)
    assert_held_and_deleted(app, workflow)


def assert_registered(app: RunningApp, workflow: Workflow) -> None:
    image = workflow.first.image.read_bytes()
    digest = hashlib.sha256(image).hexdigest()
    (state,) = workflow.second.ask("GET", "/states")
    assert (state["state"], state["state_name"]) == (10, "base-image-created")
    assert (state["status"], state["message"]) == ("completed", "Base image created and uploaded")
    assert state["artifact_storage_type"] == "azure_blob"
    assert state["artifact_storage_path"] == url_of(workflow)
    assert (state["artifact_size_bytes"], state["artifact_checksum"]) == (
        len(image),
        f"sha256:{digest}",
    )
    (same,) = holding(app, digest)
    assert same["artifact_id"] == state["artifact_id"] == workflow.artifact["id"]
    assert same["client_type"] == "build"
    assert same["client_refs"] == {"build_id": workflow.build_id, "name": "state-10"}
    assert same["blob_path"] == f"{workflow.build_id}/state-10/{IMAGE}"


def test_a_build_that_failed_is_resumed_elsewhere_and_completed(workflow: Workflow) -> None:
    workflow.fail()
    assert_fetched_by_another_server(workflow)
    assert_resumed_and_completed(workflow)


def assert_fetched_by_another_server(workflow: Workflow) -> None:
    second, made = workflow.second, workflow.artifact
    context = workflow.context
    assert (context["can_resume"], context["resume_from"]["code"]) == (True, 10)
    assert (context["failed_state"]["code"], context["next_state"]["code"]) == (20, 20)
    assert context["resumable_artifacts"] == [made]
    done = second.script("resume_build.sh")
    assert (done.returncode, done.stdout) == (0, f"Going on from {IMAGE}\n"), done.stderr
    fetched = second.read("artifact", "download", workflow.build_id, made["id"], "again")
    assert fetched["verified"] is True
    image = workflow.first.image.read_bytes()
    assert second.image.read_bytes() == (second.home / "again").read_bytes() == image
    refused = second.bldst("build", "resume", workflow.build_id)
    assert refused.returncode != 0
    assert "write" in refused.stderr, "its key only reads"


def assert_resumed_and_completed(workflow: Workflow) -> None:
    first, build_id = workflow.first, workflow.build_id
    resume = first.read("build", "resume", build_id, "--reason", "the mirror answers again")
    assert (resume["status"], resume["from_state"], resume["next_state"]) == ("pending", 10, 20)
    for status in ("triggered", "running"):
        first.read("build", "resume-status", build_id, resume["id"], status)
    workflow.tell("package-installation")
    first.read("build", "resume-status", build_id, resume["id"], "completed")
    workflow.tell("published")
    build = first.ask("GET")
    assert (build["status"], build["state"], build["resumes"]) == ("completed", 100, 1)
    states = first.ask("GET", "/states")
    assert [(each["state"], each["attempt"], each["status"]) for each in states] == [
        (100, 1, "completed"),
        (20, 2, "completed"),
        (20, 1, "failed"),
        (10, 1, "completed"),
    ]


def test_a_flipped_byte_is_caught_by_whoever_fetches_and_by_the_registry(
    ground: Ground, workflow: Workflow
) -> None:
    first, second, build_id = workflow.first, workflow.second, workflow.build_id
    workflow.fail()
    made = workflow.artifact
    flip_a_byte(ground, f"{build_id}/state-10/{IMAGE}")
    for caught in (
        second.script("resume_build.sh"),
        second.bldst("artifact", "download", build_id, made["id"]),
    ):
        assert caught.returncode == 1, caught.stderr
        assert second.files() == set(), "nothing may look as if it were the artifact"
    documented = second.script("complete_build.sh", "20")
    assert documented.returncode == 1
    assert documented.stdout.endswith("ERROR: Checksum mismatch!\n")

    assert workflow.context["can_resume"] is True, "nobody has told the registry yet"
    verified = first.ask("POST", f"/artifacts/{made['id']}/verify")
    assert verified["found_corrupt_at"] is not None
    context = workflow.context
    assert (context["can_resume"], context["resumable_artifacts"]) == (False, [])
    assert second.script("resume_build.sh").returncode == 3
    refused = first.bldst("build", "resume", build_id)
    assert refused.returncode != 0
    assert "state-10" in refused.stderr


def assert_held_and_deleted(app: RunningApp, workflow: Workflow) -> None:
    first, made = workflow.first, workflow.artifact
    ask(app, "PUT", "/api/admin/policies/builds", POLICY)
    assert made["id"] in candidates(app, "builds")
    held = {"artifact_id": made["id"], "reason": "litigation 7"}
    hold = ask(app, "POST", "/api/admin/holds", held)
    assert made["id"] not in candidates(app, "builds")
    delete = ("artifact", "delete", workflow.build_id, made["id"], "--yes")
    refused = first.bldst(*delete)
    assert refused.returncode != 0
    assert hold["hold_id"] in refused.stderr
    assert workflow.artifact == made

    ask(app, "DELETE", f"/api/admin/holds/{hold['hold_id']}?confirm=yes")
    assert first.read(*delete)["status"] == "deleted"
    digest = hashlib.sha256(first.image.read_bytes()).hexdigest()
    assert holding(app, digest) == []


def url_of(workflow: Workflow) -> str:
    bucket = workflow.first.settings["PROJECT_BUCKET"]
    return f"{bucket}/{workflow.build_id}/state-10/{IMAGE}"


def holding(app: RunningApp, digest: str) -> list[dict[str, Any]]:
    """Every artifact of these bytes, whoever registered it."""
    answer = app.get("/api/admin/artifacts/duplicates", content_hash=digest)
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()["artifacts"]
    return found


def flip_a_byte(ground: Ground, path: str) -> None:
    stored = bytearray(ground.others.download_blob(path).readall())
    stored[len(stored) // 2] ^= 1
    ground.put(path, bytes(stored))
