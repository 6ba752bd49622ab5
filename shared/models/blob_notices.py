"""What may have become of a blob or a folder; whether it is so, only the store can say.

Each is a message as well, by which we forward it: see docs/events.md.
"""

import json
from typing import Literal, Self
from uuid import UUID

from pydantic import BaseModel, ConfigDict, model_validator

from shared.models.blobs import BlobReference


class _Notice(BaseModel):
    """About one name. Validation raises InvalidInput for a name that no blob can have."""

    # Members that are not known are left out: a later release may forward more of them.
    model_config = ConfigDict(frozen=True)

    account: str
    container: str
    path: str

    @classmethod
    def of(cls, blob: BlobReference) -> Self:
        return cls(account=blob.account, container=blob.container, path=blob.path)

    @property
    def blob(self) -> BlobReference:
        return BlobReference(self.account, self.container, self.path)

    @model_validator(mode="after")
    def _can_be_a_name(self) -> Self:
        _ = self.blob
        return self

    def message(self) -> str:
        """In ASCII: the queue carries XML, which not every character of a name may stand in."""
        return json.dumps(self.model_dump(mode="json"))


class _Renamed(_Notice):
    """About a name that was another one in the same account before."""

    source_container: str
    source_path: str

    @classmethod
    def from_to(cls, source: BlobReference, blob: BlobReference) -> Self:
        return cls(
            account=blob.account,
            container=blob.container,
            path=blob.path,
            source_container=source.container,
            source_path=source.path,
        )

    @property
    def source(self) -> BlobReference:
        return BlobReference(self.account, self.source_container, self.source_path)

    @model_validator(mode="after")
    def _was_a_name(self) -> Self:
        _ = self.source
        return self


class BlobCreated(_Notice):
    kind: Literal["blob-reference"] = "blob-reference"


class BlobDeleted(_Notice):
    kind: Literal["blob-deleted"] = "blob-deleted"


class BlobTierChanged(_Notice):
    kind: Literal["blob-tier-changed"] = "blob-tier-changed"


class BlobRenamed(_Renamed):
    kind: Literal["blob-renamed"] = "blob-renamed"


class FolderDeleted(_Notice):
    """Of what was registered below it, a page is looked at: what comes behind `after`."""

    kind: Literal["folder-deleted"] = "folder-deleted"
    after_path: str = ""
    after_id: UUID = UUID(int=0)


class FolderRenamed(_Renamed):
    """Of what the store holds below it now, a page is looked at: where `marker` goes on."""

    kind: Literal["folder-renamed"] = "folder-renamed"
    marker: str | None = None


BlobNotice = (
    BlobCreated | BlobDeleted | BlobTierChanged | BlobRenamed | FolderDeleted | FolderRenamed
)
