"""A registry as its surfaces see it: revisions that are due by a policy, and who acts on them."""

from dataclasses import dataclass
from typing import Any

from shared.bootstrap import Registry
from shared.models.artifacts import Artifact
from shared.models.holds import HoldRequest
from shared.models.policies import Policy
from shared.models.registrations import UNATTRIBUTED, Origin
from tests.integration.failing import OwnQueue
from tests.integration.http.conftest import POLICY_ACTIONS
from tests.integration.registering import create

DELETE: dict[str, Any] = {
    "name": "delete-old",
    "kind": "delete",
    "clock": "superseded",
    "age": "P30D",
}


@dataclass
class Enforcing:
    """With a policy `delete-old` from the beginning; artifacts are registered long ago."""

    registry: Registry
    queue: OwnQueue

    def __post_init__(self) -> None:
        self.enforce()
        self._made: list[Artifact] = []

    def enforce(self, **changed: Any) -> None:
        self.registry.policies.put(Policy.model_validate(DELETE | changed), UNATTRIBUTED)

    def revise(self, count: int) -> list[Artifact]:
        """Revisions of one asset, of ten bytes each; the last is the current one."""
        made = [
            create(
                self.registry.artifacts,
                f"bytes {number}",
                storage_account="account",
                container="c",
                blob_path=f"path/{number}",
                size_bytes=10,
            )
            for number in range(count)
        ]
        self._made += made
        return made

    def hold(self, artifact: Artifact) -> None:
        wanted = {"artifact_id": artifact.artifact_id, "reason": "litigation 7"}
        self.registry.holds.place(HoldRequest.model_validate(wanted), UNATTRIBUTED)

    def states(self) -> list[str]:
        """Of all revisions that were made, in this order."""
        known = (self.registry.artifacts.get_by_id(made.artifact_id) for made in self._made)
        return [artifact.disposition.value for artifact in known]

    def work(self) -> None:
        """What the tick and the queue's function do until nothing is left to do."""
        while self.registry.enforcement.runs.advance():
            self.deliver()

    def deliver(self) -> None:
        """Hand out what waits in the queue."""
        for message in self.queue.receive(32, 30):
            self.registry.enforcement.actions.take(POLICY_ACTIONS, message.body, Origin("test"))
            self.queue.delete(message)
