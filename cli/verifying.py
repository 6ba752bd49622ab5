"""`registry verify` and `registry integrity`: are the bytes as they were registered?"""

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Annotated
from uuid import UUID

import typer
from pydantic import JsonValue

from cli.arguments import AnyClientOption, OutputOption, id_of, query
from cli.backfill import progress_bar
from cli.connecting import ARTIFACTS, INTEGRITY, connected
from cli.exchange import JsonObject, NoRegistry, Refused
from cli.faults import FAILED, fail, say
from cli.misuse import refuse
from cli.output import Output, cell, write_many, write_one
from cli.pages import follow, items

if TYPE_CHECKING:
    from cli.client import RegistryClient

_COLUMNS = ["artifact_id", "result", "reason"]
_BAD = {"mismatch", "missing"}
_CONFLICT = 409
_BLOB_CHANGED = "urn:artifact-registry:problem:blob-changed"

IdsArgument = Annotated[
    list[UUID] | None,
    typer.Argument(parser=id_of, metavar="[ARTIFACT_ID]...", help="UUIDs or ULIDs."),
]


def verify(
    context: typer.Context,
    artifact_ids: IdsArgument = None,
    everything: Annotated[
        bool, typer.Option("--all", help="All artifacts that are not deleted, oldest first.")
    ] = False,
    sample: Annotated[
        int | None, typer.Option(min=1, max=1000, help="So many artifacts, by chance.")
    ] = None,
    client_type: AnyClientOption = None,
    output: OutputOption = Output.TABLE,
) -> None:
    """Have the registry read bytes and compare them with their hashes.

    Ends with 1 where bytes are missing or other ones than were registered. What is large is
    `pending`: the registry reads it later, and the artifact then tells.
    """
    with connected(context) as client:
        if [bool(artifact_ids), everything, sample is not None].count(True) != 1:
            refuse("give ids, or --all, or --sample")
        if client_type is not None and not everything:
            refuse("--client-type goes with --all")
        wanted = _wanted(client, artifact_ids, sample, client_type)
        verifying = _Verifying(client, is_lenient=not artifact_ids)
        write_many(verifying.results(wanted), output, _COLUMNS)
    verifying.end()


def integrity(
    context: typer.Context,
    days: Annotated[
        int | None, typer.Option(min=1, help="Within how many days; by default the scrub's own.")
    ] = None,
    output: OutputOption = Output.TABLE,
) -> None:
    """Show how recently the bytes of all artifacts were compared with their hashes."""
    with connected(context) as client:
        told = client.ask("GET", INTEGRITY, parameters=query(days=days)).body
        write_one(told, output)


def _wanted(
    client: "RegistryClient", given: list[UUID] | None, sample: int | None, client_type: str | None
) -> Iterable[str]:
    if given:
        return [str(artifact_id) for artifact_id in dict.fromkeys(given)]
    if sample is not None:
        return _sampled(client, sample)
    return _listed(client, query(client_type=client_type, sort="created_at"))


def _sampled(client: "RegistryClient", size: int) -> list[str]:
    asked = {"size": str(size)}
    chosen = client.ask("GET", [*INTEGRITY, "sample"], parameters=asked).body.get("artifact_ids")
    if not isinstance(chosen, list):
        raise NoRegistry("the answer names no artifacts")
    return [str(artifact_id) for artifact_id in chosen]


def _listed(client: "RegistryClient", asked: dict[str, str]) -> Iterator[str]:
    """Those whose bytes the registry may read and knows a hash of."""
    for artifact in items(follow(client, ARTIFACTS, asked, "artifacts", None), "artifacts"):
        is_there = artifact.get("status") != "deleted" and artifact.get("storage_account")
        if is_there and artifact.get("content_hash"):
            yield str(artifact.get("artifact_id"))


class _Verifying:
    """Asks for one artifact after the other, and counts what came of them."""

    def __init__(self, client: "RegistryClient", *, is_lenient: bool) -> None:
        self._client = client
        self._is_lenient = is_lenient
        self._counts: Counter[str] = Counter()

    def results(self, wanted: Iterable[str]) -> Iterator[JsonObject]:
        """What comes of each, as it comes."""
        total = len(wanted) if isinstance(wanted, list) else None
        with progress_bar() as bar:
            task = bar.add_task("", total=total, done="")
            for artifact_id in wanted:
                result = self._ask(artifact_id)
                self._counts[str(result["result"])] += 1
                bar.update(task, advance=1, done=self._told())
                yield result

    def end(self) -> None:
        """Say how many ended how; fail where bytes are not what they are to be."""
        say(self._told() or "there is nothing to verify")
        bad = sum(self._counts[result] for result in _BAD)
        if bad:
            fail(FAILED, f"the bytes of {bad} artifact(s) are missing, or not those registered")

    def _ask(self, artifact_id: str) -> JsonObject:
        try:
            body = self._client.ask("POST", [*ARTIFACTS, artifact_id, "verify"]).body
        except Refused as refused:
            if self._is_lenient and _is_passing(refused):
                return _row(artifact_id, "skipped", refused.line)
            raise
        is_over = self._is_lenient and _is_written_over(body)
        result = "skipped" if is_over else body.get("result")
        return _row(artifact_id, result, body.get("reason"))

    def _told(self) -> str:
        return ", ".join(f"{count:,} {cell(result)}" for result, count in self._counts.items())


def _is_written_over(body: JsonObject) -> bool:
    """Of a superseded revision whose place a later one took: that is how revisions come to be."""
    artifact = body.get("artifact")
    if body.get("result") != "missing" or not isinstance(artifact, dict):
        return False
    return artifact.get("status") == "superseded" and artifact.get("missing_since") is None


def _is_passing(refused: Refused) -> bool:
    """What was chosen a moment ago may be deleted by now, or is being written again."""
    is_gone = refused.status in {404, _CONFLICT}
    return is_gone or refused.problem.get("type") == _BLOB_CHANGED


def _row(artifact_id: str, result: JsonValue, reason: JsonValue) -> JsonObject:
    return {"artifact_id": artifact_id, "result": result, "reason": reason}
