"""`bldst build`: going on with a build that failed, and how far that is."""

from typing import Annotated

import typer

from cli.arguments import AllOption, IdempotencyKeyOption, LimitOption, given
from cli.builds.arguments import (
    AnyStateOption,
    BuildArgument,
    MessageOption,
    OutputOption,
    ResumeArgument,
)
from cli.builds.artifacts import ARTIFACT_COLUMNS
from cli.builds.asking import of_build, post
from cli.builds.configuration import connected
from cli.builds.writing import write_list
from cli.exchange import JsonObject, json_body
from cli.output import Output, write_one
from cli.pages import follow, items, objects, wanted
from shared.models.build_resumes import ResumeStatus

resumes = typer.Typer()

_RESUME_COLUMNS = {
    "Resume ID": "id",
    "Status": "status",
    "From": "from_state",
    "Next": "next_state",
    "Seconds saved": "saved_seconds",
    "Requested by": "requested_by",
    "Created": "created_at",
    "Ended": "ended_at",
}


@resumes.command()
def resume_context(
    context: typer.Context, build_id: BuildArgument, output: OutputOption = Output.TABLE
) -> None:
    """Tell from where a build can go on, and with what."""
    with connected(context) as client:
        told = client.ask("GET", of_build(build_id, "resume-context")).body
        _write_context(told, output)


@resumes.command()
def resume(
    context: typer.Context,
    build_id: BuildArgument,
    from_state: AnyStateOption = None,
    reason: Annotated[str | None, typer.Option(help="Why, for people.")] = None,
    idempotency_key: IdempotencyKeyOption = None,
    output: OutputOption = Output.TABLE,
) -> None:
    """Reopen a build, from the state that its context tells or an earlier one."""
    with connected(context) as client:
        body = given(from_state=from_state, reason=reason)
        write_one(post(client, of_build(build_id, "resume"), body, idempotency_key), output)


@resumes.command("resumes")
def list_resumes(
    context: typer.Context,
    build_id: BuildArgument,
    limit: LimitOption = None,
    everything: AllOption = False,
    output: OutputOption = Output.TABLE,
) -> None:
    """List a build's resumes, newest first."""
    with connected(context) as client:
        most = wanted(limit, everything=everything)
        pages = follow(client, of_build(build_id, "resumes"), {}, "resumes", most)
        write_list(items(pages, "resumes"), output, _RESUME_COLUMNS)


@resumes.command()
def resume_status(
    context: typer.Context,
    build_id: BuildArgument,
    resume_id: ResumeArgument,
    status: Annotated[
        ResumeStatus | None, typer.Argument(help="How far it is now; without, it is shown.")
    ] = None,
    message: MessageOption = None,
    output: OutputOption = Output.TABLE,
) -> None:
    """Show how far a resume is, or move it on: triggered, running, then completed or failed."""
    with connected(context) as client:
        path = of_build(build_id, "resumes", resume_id)
        if status is None:
            write_one(client.ask("GET", path).body, output)
            return
        body = json_body(given(status=status, message=message))
        write_one(client.ask("PATCH", path, body=body).body, output)


def _write_context(told: JsonObject, output: Output) -> None:
    if output is not Output.TABLE:
        write_one(told, output)
        return
    usable = objects(told.get("resumable_artifacts"))
    nested = ("resumable_artifacts", "variables")
    write_one({name: value for name, value in told.items() if name not in nested}, output)
    write_list(objects(told.get("variables")), output, {"Variable": "name", "Value": "value"})
    write_list(usable, output, {**ARTIFACT_COLUMNS, "Path": "artifact_path"})
