"""Arguments and options that several commands of `bldst` take."""

from typing import Annotated
from uuid import UUID

import typer

from cli.arguments import id_of
from cli.output import Output
from shared.models.checksums import ChecksumAlgorithm

_SAID = "bldst.output"


def _nearest(context: typer.Context, value: Output) -> Output:
    """What stands after the verb counts, then what stands before it, then what is usual."""
    source = context.get_parameter_source("output")
    if source is not None and source.name == "COMMANDLINE":
        context.meta[_SAID] = value
    return context.meta.get(_SAID, value)


OutputOption = Annotated[
    Output,
    typer.Option("--output", "-o", callback=_nearest, help="How to write the result."),
]
BuildArgument = Annotated[
    UUID, typer.Argument(parser=id_of, metavar="BUILD_ID", help="A UUID or a ULID.")
]
ArtifactArgument = Annotated[
    UUID, typer.Argument(parser=id_of, metavar="ARTIFACT_ID", help="A UUID or a ULID.")
]
ResumeArgument = Annotated[UUID, typer.Argument(parser=id_of, metavar="RESUME_ID")]
StateOption = Annotated[int, typer.Option(min=0, max=100, help="Code of the state.")]
AnyStateOption = Annotated[int | None, typer.Option(min=0, max=100, help="Code of a state.")]
NameOption = Annotated[str, typer.Option(help="Unique within the build.")]
TypeOption = Annotated[
    str, typer.Option("--type", metavar="TYPE", help="vm_snapshot, ami, disk_image, ...")
]
SizeOption = Annotated[int | None, typer.Option("--size", min=0, help="In bytes.")]
ChecksumOption = Annotated[
    str | None, typer.Option(metavar="HEX", help="By default of SHA-256; 'md5:...' says another.")
]
AlgorithmOption = Annotated[
    ChecksumAlgorithm | None,
    typer.Option("--checksum-algorithm", help="By default what the checksum tells."),
]
ResumableOption = Annotated[
    bool | None,
    typer.Option("--resumable/--no-resumable", help="Whether builds can go on from it."),
]
FinalOption = Annotated[
    bool | None, typer.Option("--final/--no-final", help="Whether it is the deliverable.")
]
OverwriteOption = Annotated[
    bool, typer.Option("--overwrite", help="A name in use takes its next revision.")
]
MessageOption = Annotated[str | None, typer.Option(help="For people.")]
AtMostOption = Annotated[int | None, typer.Option(min=1, help="How many at most; by default all.")]


def group(about: str) -> typer.Typer:
    """Commands of one kind; `-o` may stand before the verb as well."""
    app = typer.Typer(help=about, no_args_is_help=True)

    @app.callback()
    def choose(output: OutputOption = Output.TABLE) -> None:
        del output

    del choose
    return app
