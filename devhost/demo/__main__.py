"""`python -m devhost.demo`: uploads as an uploader would, and watches the registry register."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated

import httpx
import typer
from azure.storage.blob import BlobServiceClient
from rich.console import Console

from devhost.demo.admin_api import AdminApi, Artifact
from devhost.demo.raster import raster_processed_at
from devhost.demo.tables import artifact_table, chain_table, history_table
from devhost.stack.directory import StackDescription, StackDirectory
from devhost.stack.errors import StackError

DIRECTORY = Path(__file__).parents[2] / ".local"
FIRST = "demo/elevation.tif"
SECOND = "demo/second.tif"
SHOWN = 6
"""Rows of a table: a demo that is often repeated makes long histories."""


class Demo:
    """Three uploads to a running stack; the registry is only ever read."""

    def __init__(self, console: Console, blobs: BlobServiceClient, container: str, api: AdminApi):
        self._console = console
        self._blobs = blobs
        self._container = container
        self._api = api

    def run(self, now: datetime) -> None:
        """Can be repeated: every run adds revisions. Raises `StackError` when nothing happens."""
        first = self._upload("a new raster", FIRST, now)
        self._console.print(artifact_table("Registered", [first]))
        changed = self._upload("changed bytes, same name", FIRST, now + timedelta(seconds=1))
        history = self._api.history(changed)
        self._console.print(history_table(f"History of {FIRST}", history[-SHOWN:]))
        second = self._upload("a second file", SECOND, now)
        self._console.print(artifact_table("Current artifacts", [changed, second]))
        chain = self._api.chain(changed.artifact_id)
        self._console.print(chain_table(f"Chain of {FIRST}", chain[-SHOWN:]))

    def _upload(self, what: str, path: str, processed_at: datetime) -> Artifact:
        before = self._api.newest(path)
        self._console.print(f"Upload of {what}: [bold]{self._container}/{path}[/]")
        blob = self._blobs.get_blob_client(self._container, path)
        blob.upload_blob(raster_processed_at(processed_at), overwrite=True)
        with self._console.status("Waiting until the registry notices (it looks every 10 s) …"):
            return self._api.wait_for_another(before, path)


def main(
    directory: Annotated[Path, typer.Option(help="Folder of the running stack.")] = DIRECTORY,
) -> None:
    """Upload three times to the running stack, and watch what becomes of it."""
    try:
        _run_on(_running_stack(StackDirectory(directory)))
    except StackError as fault:
        typer.echo(fault, err=True)
        raise typer.Exit(1) from None


def _run_on(stack: StackDescription) -> None:
    headers = {"X-API-Key": stack.read_key}
    with (
        BlobServiceClient.from_connection_string(stack.storage_connection_string) as blobs,
        httpx.Client(base_url=stack.api_url, headers=headers) as client,
    ):
        account = str(blobs.account_name)
        api = AdminApi(client, account, stack.container)
        try:
            Demo(Console(), blobs, stack.container, api).run(datetime.now(UTC))
        except httpx.HTTPError as fault:
            raise StackError(f"The registry did not answer as expected: {fault}") from fault


def _running_stack(directory: StackDirectory) -> StackDescription:
    stack = directory.read_description()
    if stack is None or not _answers(stack.api_url):
        raise StackError("The registry is not running: start it with `make run` in a terminal.")
    return stack


def _answers(api_url: str) -> bool:
    try:
        return httpx.get(f"{api_url}/api/health/live").is_success
    except httpx.TransportError:
        return False


if __name__ == "__main__":
    typer.run(main)
