"""`bldst artifact`: what builds made, and what they may go on from."""

from typing import Annotated

import typer

from cli.arguments import (
    IdempotencyKeyOption,
    IfMatchOption,
    InstantOption,
    ObjectOption,
    YesOption,
    given,
    query,
)
from cli.builds.arguments import (
    AlgorithmOption,
    AnyStateOption,
    ArtifactArgument,
    AtMostOption,
    BuildArgument,
    ChecksumOption,
    FinalOption,
    NameOption,
    OutputOption,
    OverwriteOption,
    ResumableOption,
    SizeOption,
    StateOption,
    TypeOption,
    group,
)
from cli.builds.asking import bare_list, of_build, post, require_yes
from cli.builds.configuration import connected
from cli.builds.writing import write_list
from cli.exchange import JsonObject, json_body
from cli.faults import FAILED, fail, say
from cli.misuse import refuse
from cli.output import Output, write_one

artifacts = group("Artifacts of builds: what they made, and what they may go on from.")

ARTIFACT_COLUMNS = {
    "Artifact ID": "id",
    "Name": "artifact_name",
    "Type": "artifact_type",
    "State Code": "state_code",
    "Size": "size_bytes",
}
_SHOWN = ["artifact_name", "artifact_type", "state_code", "artifact_path", "is_final", "created_at"]


@artifacts.command()
def create(
    context: typer.Context,
    build_id: BuildArgument,
    name: NameOption,
    artifact_type: TypeOption,
    path: Annotated[str, typer.Option(help="Full path or URI of what is stored.")],
    state: StateOption,
    backend: Annotated[str, typer.Option(help="s3, azure_blob, gcp_storage, nfs, local, ...")],
    region: Annotated[str | None, typer.Option(help="Storage region.")] = None,
    bucket: Annotated[str | None, typer.Option(help="Bucket or container.")] = None,
    key: Annotated[str | None, typer.Option(help="Key or path within it.")] = None,
    size: SizeOption = None,
    checksum: ChecksumOption = None,
    checksum_algorithm: AlgorithmOption = None,
    resumable: ResumableOption = None,
    final: FinalOption = None,
    expires_at: InstantOption = None,
    metadata: ObjectOption = None,
    overwrite: OverwriteOption = False,
    idempotency_key: IdempotencyKeyOption = None,
    output: OutputOption = Output.TABLE,
) -> None:
    """Register an artifact that is stored already."""
    with connected(context) as client:
        body = given(
            state_code=state,
            artifact_name=name,
            artifact_type=artifact_type,
            artifact_path=path,
            storage_backend=backend,
            storage_region=region,
            storage_bucket=bucket,
            storage_key=key,
            size_bytes=size,
            checksum=checksum,
            checksum_algorithm=checksum_algorithm,
            is_resumable=resumable,
            is_final=final,
            expires_at=expires_at,
            metadata=metadata,
            overwrite=overwrite or None,
        )
        write_one(post(client, of_build(build_id, "artifacts"), body, idempotency_key), output)


@artifacts.command("list")
def list_artifacts(
    context: typer.Context,
    build_id: BuildArgument,
    state: AnyStateOption = None,
    artifact_type: Annotated[str | None, typer.Option("--type", metavar="TYPE")] = None,
    resumable: ResumableOption = None,
    final: FinalOption = None,
    limit: AtMostOption = None,
    output: OutputOption = Output.TABLE,
) -> None:
    """List a build's artifacts, by state and time."""
    with connected(context) as client:
        asked = query(
            state_code=state,
            artifact_type=artifact_type,
            is_resumable=resumable,
            is_final=final,
        )
        listed = bare_list(client, of_build(build_id, "artifacts"), asked, limit)
        write_list(listed, output, ARTIFACT_COLUMNS)


@artifacts.command()
def list_resumable(
    context: typer.Context,
    build_id: BuildArgument,
    limit: AtMostOption = None,
    output: OutputOption = Output.TABLE,
) -> None:
    """List the artifacts from which a failed build may go on."""
    list_artifacts(context, build_id, resumable=True, limit=limit, output=output)


@artifacts.command()
def get(
    context: typer.Context,
    build_id: BuildArgument,
    artifact_id: ArtifactArgument,
    output: OutputOption = Output.JSON,
) -> None:
    """Show one artifact; also one that was deleted."""
    with connected(context) as client:
        answer = client.ask("GET", of_build(build_id, "artifacts", artifact_id))
        write_one(answer.body, output)


@artifacts.command()
def update(
    context: typer.Context,
    build_id: BuildArgument,
    artifact_id: ArtifactArgument,
    name: Annotated[str | None, typer.Option(help="What it is called from now on.")] = None,
    resumable: ResumableOption = None,
    final: FinalOption = None,
    expires_at: InstantOption = None,
    no_expiry: Annotated[
        bool, typer.Option("--no-expiry", help="It does not expire any more.")
    ] = False,
    metadata: ObjectOption = None,
    if_match: IfMatchOption = None,
    output: OutputOption = Output.TABLE,
) -> None:
    """Change what is said of an artifact; its bytes stay what they are. Metadata is merged."""
    with connected(context) as client:
        if no_expiry and expires_at is not None:
            refuse("give either --expires-at or --no-expiry")
        changes = given(
            artifact_name=name,
            is_resumable=resumable,
            is_final=final,
            expires_at=expires_at,
            metadata=metadata,
        )
        if no_expiry:
            changes["expires_at"] = None
        if not changes:
            refuse("nothing is to be changed: say what")
        headers = {} if if_match is None else {"If-Match": if_match}
        path, body = of_build(build_id, "artifacts", artifact_id), json_body(changes)
        write_one(client.ask("PATCH", path, body=body, headers=headers).body, output)


@artifacts.command()
def delete(
    context: typer.Context,
    build_id: BuildArgument,
    artifact_id: ArtifactArgument,
    yes: YesOption = False,
    output: OutputOption = Output.TABLE,
) -> None:
    """Set an artifact's tombstone: its name is free again, its record and its bytes stay."""
    with connected(context) as client:
        path = of_build(build_id, "artifacts", artifact_id)
        if not yes:
            require_yes("Delete it?", client.ask("GET", path).body, _SHOWN)
        write_one(client.ask("DELETE", path).body, output)


@artifacts.command()
def verify(
    context: typer.Context,
    build_id: BuildArgument,
    artifact_id: ArtifactArgument,
    output: OutputOption = Output.TABLE,
) -> None:
    """Have the registry compare what is stored with the checksum; ends with 1 where it differs."""
    with connected(context) as client:
        answer = client.ask("POST", of_build(build_id, "artifacts", artifact_id, "verify"))
        write_one(answer.body, output)
        _say_found(answer.body, is_later=answer.status == 202)


def _say_found(artifact: JsonObject, *, is_later: bool) -> None:
    if is_later:
        say("it is large: what is found shows in 'artifact get' once it was read")
    elif artifact.get("found_corrupt_at") is not None:
        fail(FAILED, "the store holds other bytes than were registered")
