"""`bldst artifact download`: nothing gets the file's name but what was registered."""

import hashlib
import os
import re
import signal
import stat
import sys
from collections.abc import Generator, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from secrets import token_hex
from types import FrameType
from typing import Annotated, BinaryIO, NoReturn
from urllib.parse import unquote

import typer

from cli.builds.arguments import ArtifactArgument, BuildArgument, OutputOption
from cli.builds.asking import of_build
from cli.builds.configuration import connected
from cli.builds.progress import watched
from cli.builds.sources import opened
from cli.exchange import JsonObject
from cli.faults import FAILED, fail
from cli.misuse import refuse
from cli.output import Output, write_one
from shared.models.checksums import Checksum, ChecksumAlgorithm, parse_checksum

downloading = typer.Typer()

_ENDING = [
    signal.Signals[name]
    for name in ("SIGTERM", "SIGHUP", "SIGQUIT")
    if name in signal.Signals.__members__
]
_BEYOND_PATH = re.compile("[?#]")
"""Where the path of a URL ends."""


@dataclass(frozen=True)
class _Told:
    """What the registry says of the bytes."""

    path: str
    size_bytes: int | None
    checksum: Checksum | None


@downloading.command()
def download(
    context: typer.Context,
    build_id: BuildArgument,
    artifact_id: ArtifactArgument,
    target: Annotated[
        Path | None, typer.Argument(metavar="[FILE]", help="Or a folder; by default this one.")
    ] = None,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace a file that is there.")
    ] = False,
    unverified: Annotated[
        bool, typer.Option("--unverified", help="Also where no checksum was registered.")
    ] = False,
    output: OutputOption = Output.TABLE,
) -> None:
    """Fetch an artifact; the file has its name once size and checksum were found right.

    From Azure Blob Storage with the credential of AZURE_STORAGE_CONNECTION_STRING or
    BLDST_UPLOAD_URL, from https:// without one, or from a path of this machine.
    """
    with connected(context) as client:
        told = _told(client.ask("GET", of_build(build_id, "artifacts", artifact_id)).body)
        if told.checksum is None and not unverified:
            refuse("no checksum was registered, so nothing can be verified: say --unverified")
        file = _free_place(target or Path(), told.path, overwrite=overwrite)
        with _ended_gently():
            found = _fetch(told, file, overwrite=overwrite)
        write_one(found, output)


class _Receiver:
    """Counts and hashes what comes, by the algorithm that was registered."""

    def __init__(self, told: _Told) -> None:
        self._told = told
        algorithm = told.checksum.algorithm if told.checksum else ChecksumAlgorithm.SHA256
        self._digest = hashlib.new(algorithm, usedforsecurity=False)
        self._size = 0

    def take(self, chunks: Iterator[bytes], file: BinaryIO) -> Iterator[int]:
        """Write them, as long as there are not too many; tells the size of each."""
        for chunk in chunks:
            self._size += len(chunk)
            if self._told.size_bytes is not None and self._size > self._told.size_bytes:
                fail(FAILED, f"more is stored than the {self._told.size_bytes} bytes registered")
            self._digest.update(chunk)
            file.write(chunk)
            yield len(chunk)

    def require_all(self) -> JsonObject:
        """What came; ends the command where it is not what was registered."""
        size, digits = self._size, self._digest.hexdigest()
        if self._told.size_bytes not in {None, size}:
            fail(FAILED, f"{size} bytes are stored, {self._told.size_bytes} were registered")
        if self._told.checksum is not None and self._told.checksum.digits != digits:
            registered = self._told.checksum.digits
            fail(FAILED, f"checksum mismatch: registered {registered}, stored {digits}")
        return {"size_bytes": size, "checksum": f"{self._digest.name}:{digits}"}


def _told(artifact: JsonObject) -> _Told:
    path, size = artifact.get("artifact_path"), artifact.get("size_bytes")
    text, algorithm = artifact.get("checksum"), artifact.get("checksum_algorithm")
    if not isinstance(path, str):
        fail(FAILED, "the artifact does not say where it is stored")
    try:
        named = ChecksumAlgorithm(algorithm) if isinstance(algorithm, str) else None
        checksum = parse_checksum(text, named) if isinstance(text, str) else None
    except ValueError as error:
        fail(FAILED, f"the checksum cannot be read: {error}")
    return _Told(path, size if isinstance(size, int) else None, checksum)


def _free_place(target: Path, stored: str, *, overwrite: bool) -> Path:
    try:
        file = _place(target, stored)
        _require_free(file, overwrite=overwrite)
    except OSError as error:
        refuse(f"{target} cannot be written: {error.strerror}")
    return file


def _place(target: Path, stored: str) -> Path:
    """Where to; in a folder under the last part of what it is stored as."""
    if not target.is_dir():
        return target
    # Of a path of this machine, every mark is one of its name.
    named = stored if stored.startswith("/") else unquote(_BEYOND_PATH.split(stored)[0])
    name = named.rpartition("/")[2]
    if name in {"", ".", ".."} or not name.isprintable():
        refuse("what it is stored as is no name of a file: say FILE")
    return target / name


def _require_free(file: Path, *, overwrite: bool) -> None:
    """Raises Misuse where something is there that may not be replaced, and OSError."""
    try:
        found = file.lstat()
    except (FileNotFoundError, NotADirectoryError):
        return
    if not stat.S_ISREG(found.st_mode):
        refuse(f"{file} is there already, and no regular file: nothing replaces it")
    if not overwrite:
        refuse(f"{file} is there already: --overwrite replaces it")


def _end(number: int, _frame: FrameType | None) -> NoReturn:
    for other in _ENDING:
        signal.signal(other, signal.SIG_IGN)  # what is being taken away is taken away to the end
    sys.exit(128 + number)


@contextmanager
def _ended_gently() -> Generator[None]:
    """Who is asked to end takes away what was begun, as who is interrupted does."""
    before = {number: signal.getsignal(number) for number in _ENDING}
    for number, handler in before.items():
        if handler is not signal.SIG_IGN:  # as nohup has it
            signal.signal(number, _end)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _fetch(told: _Told, file: Path, *, overwrite: bool) -> JsonObject:
    part = file.with_name(f".bldst-{token_hex(8)}.part")
    try:
        found = _receive(told, part)
        _require_free(file, overwrite=overwrite)
        part.replace(file)
    except OSError as error:
        fail(FAILED, f"{file} cannot be written: {error.strerror}")
    finally:
        with suppress(OSError):
            part.unlink()
    return {"file": str(file), **found, "verified": told.checksum is not None}


def _receive(told: _Told, part: Path) -> JsonObject:
    receiver = _Receiver(told)
    with opened(told.path) as (size, chunks), part.open("xb") as out:
        with watched("Downloading", size or told.size_bytes) as tell:
            for count in receiver.take(chunks, out):
                tell(count)
        found = receiver.require_all()
        out.flush()
        os.fsync(out.fileno())
    return found
