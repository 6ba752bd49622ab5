"""`bldst`: what build servers run, and people who look after builds.

Exit codes, stdout and stderr are those of `registry`.
"""

from pathlib import Path
from typing import Annotated

import typer

from cli.builds.arguments import OutputOption
from cli.builds.artifacts import artifacts
from cli.builds.builds import builds
from cli.builds.configuration import (
    BuildOptions,
    Configuration,
    api_address,
    configuration_path,
    write_configuration,
)
from cli.builds.dashboard import dashboard
from cli.builds.download import downloading
from cli.builds.projects import projects
from cli.builds.resumes import resumes
from cli.builds.upload import uploading
from cli.builds.variables import variables
from cli.confirming import asked_key
from cli.faults import say, told_clearly
from cli.output import Output
from cli.starting import EXIT_CODES, start

app = typer.Typer(epilog=EXIT_CODES, no_args_is_help=True, pretty_exceptions_enable=False)
builds.add_typer(resumes)
builds.command()(dashboard)
artifacts.add_typer(uploading)
artifacts.add_typer(downloading)
app.add_typer(builds, name="build")
app.add_typer(artifacts, name="artifact")
app.add_typer(variables, name="variable")
app.add_typer(projects, name="project")
app.command()(dashboard)


@app.callback()
def prepare(
    context: typer.Context,
    url: Annotated[
        str | None, typer.Option(envvar="BLDST_API_URL", help="The registry's address.")
    ] = None,
    config: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Instead of ~/.bldst.yaml.")
    ] = None,
    insecure: Annotated[
        bool, typer.Option("--insecure", help="Send the key over http:// in clear text.")
    ] = False,
    output: OutputOption = Output.TABLE,
) -> None:
    """Track builds, the artifacts that they make, and where they can go on.

    The key is never given on the command line, where others see it: BLDST_API_KEY, or the file that
    'bldst configure' writes.
    """
    del output
    context.obj = BuildOptions(url=url, config=config, insecure=insecure)


@app.command()
def configure(
    context: typer.Context,
    url: Annotated[str, typer.Option(help="The registry's address.")],
) -> None:
    """Keep an address and a key, which is read from stdin, in ~/.bldst.yaml or --config."""
    options = context.find_object(BuildOptions) or BuildOptions()
    with told_clearly():
        path = options.config or configuration_path()
        address = str(api_address(url, insecure=options.insecure))
        key = asked_key() or None
        write_configuration(Configuration(path, address, key, options.insecure))
        say(f"kept in {path}" if key else f"kept in {path}, without a key")


def main() -> None:
    """The command `bldst`."""
    start(app, "bldst")


if __name__ == "__main__":
    main()
