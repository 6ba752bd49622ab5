"""`registry audit`: who did what to which artifact, and what came of it."""

import typer

audit = typer.Typer(help="Who did what, and what came of it.", no_args_is_help=True)
