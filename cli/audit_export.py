"""`registry audit export`: events as a file, or as a blob."""

from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated
from uuid import UUID

import typer
from pydantic import ValidationError
from rich.console import Console

from cli.arguments import InstantOption, id_of, query
from cli.connecting import AUDIT, connected
from cli.exchange import NoRegistry
from cli.faults import say, told_clearly
from cli.misuse import refuse
from cli.pages import follow, items
from shared.models.audit_exports import ExportFormat

if TYPE_CHECKING:
    from shared.models.blobs import BlobReference

_NO_PYARROW = "Parquet needs pyarrow: install the extra 'inventory'"


def export(
    context: typer.Context,
    file: Annotated[
        Path | None, typer.Argument(metavar="FILE", help="Is replaced once all is written.")
    ] = None,
    blob: Annotated[
        str | None,
        typer.Option(
            metavar="CONTAINER/PATH",
            help="Instead, a new blob; or its URL, in an account that the registry serves."
            " Works on database and storage themselves, without the API.",
        ),
    ] = None,
    form: Annotated[
        ExportFormat | None, typer.Option("--format", help="By default, as the name ends.")
    ] = None,
    artifact: Annotated[UUID | None, typer.Option(parser=id_of, metavar="ARTIFACT_ID")] = None,
    run: Annotated[UUID | None, typer.Option(parser=id_of, metavar="RUN_ID")] = None,
    operation: str | None = None,
    action: str | None = None,
    actor: str | None = None,
    success: Annotated[bool | None, typer.Option("--success/--failed")] = None,
    start: InstantOption = None,
    end: InstantOption = None,
) -> None:
    """Write events to a file or a blob, newest first."""
    asked = query(
        artifact_id=None if artifact is None else str(artifact),
        run_id=None if run is None else str(run),
        operation=operation,
        action=action,
        actor=actor,
        success=success,
        start=start,
        end=end,
    )
    with told_clearly():
        form = form or _form_of(str(file or blob or ""))
        if file is not None and blob is None:
            count = _to_file(context, asked, form, file)
        elif blob is not None and file is None:
            count = _to_blob(asked, form, blob)
        else:
            refuse("give either a file or --blob")
    say(f"{count:,} events")


def _form_of(name: str) -> ExportFormat:
    try:
        return ExportFormat(name.rpartition(".")[2].lower())
    except ValueError:
        refuse(f"say --format: {', '.join(ExportFormat)}")


def _to_file(context: typer.Context, asked: dict[str, str], form: ExportFormat, file: Path) -> int:
    from shared.services.audit_export import Counted, write_events  # noqa: PLC0415 - slow
    from shared.storage.new_files import new_file  # noqa: PLC0415 - likewise

    if file.exists() and not file.is_file():
        refuse(f"{file} is no regular file")
    with connected(context) as client, _watched() as tell:
        events = Counted(items(follow(client, AUDIT, asked, "events", None), "events"), tell)
        try:
            with new_file(file) as opened:
                write_events(events, form, opened)
        except OSError as error:
            refuse(f"{file} cannot be written: {error.strerror}")
        except ModuleNotFoundError:
            refuse(_NO_PYARROW)
        except ValueError:
            raise NoRegistry("the answer holds what is no event") from None
    return events.count


def _to_blob(asked: dict[str, str], form: ExportFormat, name: str) -> int:
    from cli.database import audit_exports  # noqa: PLC0415 - slow
    from shared.models.audit_queries import AuditFilter  # noqa: PLC0415 - likewise
    from shared.storage.new_files import new_blob  # noqa: PLC0415 - likewise

    try:
        wanted = AuditFilter.model_validate(asked)
    except ValidationError as error:
        refuse(f"--{error.errors()[0]['loc'][0]}: {error.errors()[0]['msg']}")
    with audit_exports() as (trail, accounts), _watched() as tell:
        blob = _blob_named(name, accounts.accounts[0])
        target = new_blob(accounts.of(blob.account), blob)
        try:
            return trail.export_audit_trail(wanted, form, target, tell)
        except ModuleNotFoundError:
            refuse(_NO_PYARROW)


def _blob_named(name: str, account: str) -> "BlobReference":
    from shared.models.blob_urls import read_blob_url  # noqa: PLC0415 - likewise
    from shared.models.blobs import BlobReference  # noqa: PLC0415 - likewise

    if "://" not in name:
        container, _, path = name.partition("/")
        return BlobReference(account, container, path)
    address = read_blob_url(name)
    if address is None or address.version_id is not None or "?" in name:
        refuse("--blob is CONTAINER/PATH, or a blob's URL without a query")
    return address.blob


@contextmanager
def _watched() -> Generator[Callable[[int], None]]:
    """Tells somebody who looks how many are written."""
    with Console(stderr=True).status("looking for events") as status:
        yield lambda count: status.update(f"{count:,} events")
