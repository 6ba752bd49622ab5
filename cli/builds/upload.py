"""`bldst artifact upload`: into storage and into the registry, with one reading of the file."""

import hashlib
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from secrets import token_hex
from typing import IO, TYPE_CHECKING, Annotated, BinaryIO, cast

import typer
from pydantic import ValidationError

from cli.arguments import InstantOption, ObjectOption, given
from cli.builds.arguments import (
    BuildArgument,
    FinalOption,
    OutputOption,
    ResumableOption,
    StateOption,
)
from cli.builds.asking import bare_list, of_build, post
from cli.builds.configuration import connected
from cli.builds.progress import watched
from cli.exchange import JsonObject, NoRegistry, Refused, Unreachable
from cli.faults import CONFLICT, FAILED, fail, say
from cli.misuse import refuse
from cli.output import Output, write_one
from cli.regular_files import open_regular
from shared.models.build_artifacts import BuildArtifactRequest

if TYPE_CHECKING:
    from cli.builds.storage import Storage
    from cli.client import RegistryClient
    from shared.models.blobs import BlobReference

uploading = typer.Typer()

_UNLIKELY = {"", ".", ".."}
"""What, as a part of a path, would lead elsewhere."""


@dataclass(frozen=True)
class _Uploaded:
    size_bytes: int
    sha256: str


@uploading.command()
def upload(
    context: typer.Context,
    build_id: BuildArgument,
    file: Annotated[Path, typer.Argument(metavar="FILE")],
    state: StateOption,
    name: Annotated[str | None, typer.Option(help="By default the file's.")] = None,
    artifact_type: Annotated[
        str, typer.Option("--type", metavar="TYPE", help="vm_snapshot, ami, disk_image, ...")
    ] = "file",
    container: Annotated[
        str | None,
        typer.Option("--container", "--bucket", envvar="BLDST_CONTAINER", help="Where to."),
    ] = None,
    key: Annotated[
        str | None,
        typer.Option(
            help="Path in it; by default one of its own, for this upload.", metavar="PATH"
        ),
    ] = None,
    resumable: ResumableOption = None,
    final: FinalOption = None,
    expires_at: InstantOption = None,
    metadata: ObjectOption = None,
    overwrite: Annotated[
        bool,
        typer.Option(
            "--overwrite",
            help="A name in use takes its next revision; with --key, a blob that is there is lost.",
        ),
    ] = False,
    output: OutputOption = Output.TABLE,
) -> None:
    """Upload a file to Azure Blob Storage, and register it as an artifact of a build.

    The environment says whereto: AZURE_STORAGE_CONNECTION_STRING, or BLDST_UPLOAD_URL, a
    container's URL, with a shared access signature or for who is signed in to Azure.
    """
    with connected(context) as client:
        build = client.ask("GET", of_build(build_id)).body
        storage = _storage()
        where = storage.container or container
        if where is None:
            refuse("say where to: --container, or BLDST_CONTAINER")
        if container not in {None, where}:
            refuse(f"the credential is for the container {where}")
        blob = storage.reference(where, key or _own_path(build, state, file.name))
        body = given(
            state_code=state,
            artifact_name=file.name if name is None else name,
            artifact_type=artifact_type,
            artifact_path=storage.url_of(blob),
            storage_backend="azure_blob",
            storage_bucket=blob.container,
            storage_key=blob.path,
            is_resumable=resumable,
            is_final=final,
            expires_at=expires_at,
            metadata=metadata,
            overwrite=overwrite or None,
        )
        artifacts = of_build(build_id, "artifacts")
        _require_acceptable(client, artifacts, body)
        uploaded = _send(storage, blob, file, overwrite=overwrite and key is not None)
        write_one(_register(client, artifacts, body, uploaded), output)


class HashedFile:
    """A file that is read once, and hashed meanwhile."""

    def __init__(self, file: BinaryIO, tell: Callable[[int], None]) -> None:
        self._file = file
        self._tell = tell
        self._digest = hashlib.sha256()
        self.size_bytes = 0

    @property
    def sha256(self) -> str:
        """Of what was read so far, in hex."""
        return self._digest.hexdigest()

    def read(self, size: int = -1, /) -> bytes:
        """The next bytes; none at the end."""
        some = self._file.read(size)
        self._digest.update(some)
        self.size_bytes += len(some)
        self._tell(len(some))
        return some


def _storage() -> "Storage":
    from cli.builds.storage import CONNECTION, UPLOAD_URL, storage_at_hand  # noqa: PLC0415 - slow

    storage = storage_at_hand()
    if storage is None:
        refuse(f"there is no credential for storage: set {CONNECTION} or {UPLOAD_URL}")
    return storage


def _own_path(build: JsonObject, state: int, file_name: str) -> str:
    """As the source document advises, and a part that no other upload has: nothing is overwritten.

    A build without a project has one part less.
    """
    project = build.get("project")
    parts = [str(build["id"]), f"state-{state}", token_hex(6), file_name]
    if isinstance(project, str):
        if _UNLIKELY.intersection(project.split("/")):
            refuse("the project's name cannot be a part of a path: say --key")
        parts.insert(0, project)
    return "/".join(parts)


def _require_acceptable(client: "RegistryClient", path: list[str], body: JsonObject) -> None:
    """Find out before the bytes are sent what the registry would say only afterwards."""
    try:
        BuildArtifactRequest.model_validate(body)
    except ValidationError as error:
        wrong = (f"{'.'.join(map(str, each['loc']))}: {each['msg']}" for each in error.errors())
        refuse(f"the registry would not take it: {'; '.join(wrong)}")
    if "overwrite" not in body:
        name = body["artifact_name"]
        if any(one.get("artifact_name") == name for one in bare_list(client, path, {}, None)):
            fail(CONFLICT, f"the build has a {name} already: --overwrite makes its next revision")


def _send(storage: "Storage", blob: "BlobReference", file: Path, *, overwrite: bool) -> _Uploaded:
    try:
        with open_regular(file) as source:
            before = os.fstat(source.fileno())
            with watched("Uploading", before.st_size) as tell:
                hashed = HashedFile(source, tell)
                # All that the SDK asks of a file that it reads in order.
                stream = cast("IO[bytes]", hashed)
                storage.upload(blob, stream, before.st_size, overwrite=overwrite)
            after = os.fstat(source.fileno())
    except OSError as error:
        refuse(f"{file} cannot be read: {error.strerror}")
    if (after.st_mtime_ns, hashed.size_bytes) != (before.st_mtime_ns, after.st_size):
        fail(FAILED, f"{file} changed while it was read: what was uploaded is not registered")
    return _Uploaded(hashed.size_bytes, hashed.sha256)


def _register(
    client: "RegistryClient", path: list[str], body: JsonObject, uploaded: _Uploaded
) -> JsonObject:
    found = {
        "size_bytes": uploaded.size_bytes,
        "checksum": uploaded.sha256,
        "checksum_algorithm": "sha256",
    }
    try:
        return post(client, path, {**body, **found}, None)
    except (Refused, Unreachable, NoRegistry):
        say(f"uploaded already, and not registered: {body['artifact_path']}")
        say(f"'bldst artifact create' does: {uploaded.size_bytes} bytes, sha256:{uploaded.sha256}")
        raise
