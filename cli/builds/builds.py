"""`bldst build`: builds, and the states that they go through."""

from typing import Annotated

import typer

from cli.arguments import (
    AllOption,
    IdempotencyKeyOption,
    LimitOption,
    ObjectOption,
    given,
    merge,
    query,
)
from cli.builds.arguments import (
    AnyStateOption,
    AtMostOption,
    BuildArgument,
    ChecksumOption,
    MessageOption,
    OutputOption,
    group,
)
from cli.builds.asking import BUILDS, bare_list, of_build, post
from cli.builds.configuration import connected
from cli.builds.writing import write_list
from cli.misuse import refuse
from cli.output import Output, write_one
from cli.pages import follow, items, wanted
from shared.models.build_states import StateStatus
from shared.models.builds import BuildStatus

builds = group("Builds, and the states that they go through.")

BUILD_COLUMNS = {
    "Build ID": "id",
    "Number": "build_number",
    "Project": "project",
    "Platform": "platform",
    "Status": "status",
    "State": "state",
    "Created": "created_at",
}
_STATE_COLUMNS = {
    "State": "state",
    "Name": "state_name",
    "Attempt": "attempt",
    "Status": "status",
    "Started": "start_time",
    "Seconds": "duration_seconds",
    "Artifact": "artifact_storage_path",
    "Message": "message",
}
_StateNameOption = Annotated[
    str | None, typer.Option("--name", metavar="NAME", help="Name of the state.")
]


@builds.command()
def create(
    context: typer.Context,
    build_number: Annotated[str, typer.Argument(help="By which people know it; unique.")],
    project: str | None = None,
    platform: str | None = None,
    os_version: str | None = None,
    image_type: str | None = None,
    label: Annotated[
        list[str] | None, typer.Option(metavar="NAME=TEXT", help="Repeatable.")
    ] = None,
    idempotency_key: IdempotencyKeyOption = None,
    output: OutputOption = Output.TABLE,
) -> None:
    """Make a build known, before anything is told of it."""
    with connected(context) as client:
        body = given(
            build_number=build_number,
            project=project,
            platform=platform,
            os_version=os_version,
            image_type=image_type,
            labels=merge(label, "--label") if label else None,
        )
        write_one(post(client, BUILDS, body, idempotency_key), output)


@builds.command()
def get(
    context: typer.Context, build_id: BuildArgument, output: OutputOption = Output.TABLE
) -> None:
    """Show one build."""
    with connected(context) as client:
        write_one(client.ask("GET", of_build(build_id)).body, output)


@builds.command("list")
def list_builds(
    context: typer.Context,
    number: Annotated[str | None, typer.Option(help="The one of this number.")] = None,
    project: str | None = None,
    platform: str | None = None,
    os_version: str | None = None,
    image_type: str | None = None,
    status: BuildStatus | None = None,
    state: AnyStateOption = None,
    limit: LimitOption = None,
    everything: AllOption = False,
    output: OutputOption = Output.TABLE,
) -> None:
    """List builds, newest first."""
    with connected(context) as client:
        asked = query(
            build_number=number,
            project=project,
            platform=platform,
            os_version=os_version,
            image_type=image_type,
            status=status,
            state_code=state,
        )
        pages = follow(client, BUILDS, asked, "builds", wanted(limit, everything=everything))
        write_list(items(pages, "builds"), output, BUILD_COLUMNS)


@builds.command("add-state")
def add_state(
    context: typer.Context,
    build_id: BuildArgument,
    state: AnyStateOption = None,
    name: _StateNameOption = None,
    status: Annotated[StateStatus | None, typer.Option(help="By default completed.")] = None,
    message: MessageOption = None,
    storage_type: Annotated[
        str | None, typer.Option(help="Where its artifact is: s3, azure_blob, nfs, ...")
    ] = None,
    storage_path: Annotated[str | None, typer.Option(help="Path or URI of its artifact.")] = None,
    artifact_size: Annotated[int | None, typer.Option(min=0, help="In bytes.")] = None,
    checksum: ChecksumOption = None,
    metadata: ObjectOption = None,
    idempotency_key: IdempotencyKeyOption = None,
    output: OutputOption = Output.TABLE,
) -> None:
    """Tell how far a state is; what is told with an artifact is registered as one."""
    with connected(context) as client:
        if state is None and name is None:
            refuse("say which state: --state, --name or both")
        body = given(
            state_code=state,
            state_name=name,
            status=status,
            message=message,
            artifact_storage_type=storage_type,
            artifact_storage_path=storage_path,
            artifact_size_bytes=artifact_size,
            artifact_checksum=checksum,
            artifact_metadata=metadata,
        )
        write_one(post(client, of_build(build_id, "state"), body, idempotency_key), output)


@builds.command()
def states(
    context: typer.Context,
    build_id: BuildArgument,
    limit: AtMostOption = None,
    output: OutputOption = Output.TABLE,
) -> None:
    """List the attempts at states of a build, newest first."""
    with connected(context) as client:
        listed = bare_list(client, of_build(build_id, "states"), {}, limit)
        write_list(listed, output, _STATE_COLUMNS)


@builds.command("fail")
def fail_build(
    context: typer.Context,
    build_id: BuildArgument,
    state: AnyStateOption = None,
    name: _StateNameOption = None,
    message: MessageOption = None,
    idempotency_key: IdempotencyKeyOption = None,
    output: OutputOption = Output.TABLE,
) -> None:
    """End a build as failed, at a state or at the one in progress; a resume reopens it."""
    with connected(context) as client:
        body = given(state_code=state, state_name=name, message=message)
        write_one(post(client, of_build(build_id, "failure"), body, idempotency_key), output)
