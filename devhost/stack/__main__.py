"""`python -m devhost.stack`: the commands behind `make run` and `make reset`."""

import signal
from pathlib import Path
from threading import Event
from types import FrameType
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape

from devhost.stack.directory import StackDirectory
from devhost.stack.errors import StackError
from devhost.stack.stack import LocalStack, StackOptions
from devhost.stack.steps import Steps, StopRequested

PROJECT = Path(__file__).parents[2]
STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)

cli = typer.Typer(add_completion=False, pretty_exceptions_enable=False)

Directory = Annotated[Path, typer.Option(help="Where data and keys are kept.")]


@cli.command()
def run(
    port: Annotated[int, typer.Option(help="Port of the API.")] = 7071,
    directory: Directory = PROJECT / ".local",
    app: Annotated[Path, typer.Option(help="Folder of function_app.py.")] = PROJECT,
    any_ports: Annotated[
        bool, typer.Option(help="Free ports for PostgreSQL and Azurite, not the customary ones.")
    ] = False,
) -> None:
    """Start everything, and stop it on Ctrl-C."""
    stop = _stop_on_signals()
    console = Console(soft_wrap=True)
    options = StackOptions(app=app.absolute(), port=port, any_ports=any_ports)
    try:
        LocalStack(StackDirectory(directory), options, Steps(console, stop), stop).run()
    except StopRequested:
        pass
    except StackError as fault:
        _complain(str(fault))
    console.print("Stopped; the data stays.")


@cli.command()
def reset(directory: Directory = PROJECT / ".local") -> None:
    """Forget all data, keys and settings of the local stack."""
    try:
        StackDirectory(directory).clear()
    except StackError as fault:
        _complain(str(fault))


def _stop_on_signals() -> Event:
    """A flag, not an exception: what is half started can then be stopped in order."""
    stop = Event()

    def ask_for_stop(_number: int, _frame: FrameType | None) -> None:
        stop.set()

    for number in STOP_SIGNALS:
        signal.signal(number, ask_for_stop)
    return stop


def _complain(message: str) -> None:
    Console(stderr=True, soft_wrap=True).print(f"[red]✗[/] {escape(message)}", highlight=False)
    raise typer.Exit(1)


if __name__ == "__main__":
    cli()
