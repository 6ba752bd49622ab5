"""What docs/messages.md shows is what the registry takes."""

import json
import re
from pathlib import Path
from typing import Any

from shared.models.artifacts import ArtifactRegistration
from shared.models.blob_events import read_blob_event
from shared.models.blob_notices import BlobCreated
from shared.models.blobs import BlobReference
from shared.models.tables import TableReference, TableSource

PAGE = (Path(__file__).parents[2] / "docs" / "messages.md").read_text()
EXAMPLES: list[dict[str, Any]] = [
    json.loads(example) for example in re.findall(r"```json\n(.*?)```", PAGE, re.DOTALL)
]


def of_kind(member: str) -> list[dict[str, Any]]:
    return [example for example in EXAMPLES if member in example]


def test_every_example_is_one_of_those_below() -> None:
    kinds = [of_kind(member) for member in ("eventType", "client_type", "postgis")]
    assert [len(examples) for examples in kinds] == [1, 2, 1]
    assert sum(map(len, kinds)) == len(EXAMPLES)


def test_the_event_names_its_blob() -> None:
    (event,) = of_kind("eventType")
    notice = read_blob_event(event)
    assert isinstance(notice, BlobCreated)
    assert notice.blob == BlobReference("uploads1", "uploads", "flood-2024/site-a.tif")


def test_the_registrations_are_valid_and_the_table_is_listed() -> None:
    blob, table = (ArtifactRegistration.model_validate(body) for body in of_kind("client_type"))
    assert (blob.content_hash, table.content_hash) == (None, None)
    (sources,) = of_kind("postgis")
    listed = TableSource.model_validate(sources[str(table.storage_account)])
    named = TableReference("postgis", str(table.container), str(table.blob_path))
    assert listed.lists(named)
    assert not listed.lists(TableReference("postgis", "geo", "rivers"))
