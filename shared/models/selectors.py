"""Which artifacts are meant, by what they are: not now alone, but whenever it is asked."""

from typing import Annotated, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, JsonValue, model_validator

from shared.models.artifacts import BigInteger, Label, ShortText
from shared.models.axes import Processing, Stage, Status
from shared.models.client_refs import ClientRefs
from shared.models.text import Text, keepable_json

_Metadata = Annotated[dict[str, JsonValue], Field(min_length=1), AfterValidator(keepable_json)]


class Selector(BaseModel):
    """Everything that is said must be so; what is left out is not asked for."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    client_type: ShortText | None = None
    client_refs: ClientRefs | None = None
    """The asset's references contain these."""
    storage_account: ShortText | None = None
    container: ShortText | None = None
    path_prefix: Annotated[Text, Field(min_length=1, max_length=1024)] | None = None
    artifact_type: Label | None = None
    stage: Stage | None = None
    processing: Processing | None = None
    status: Status | None = None
    metadata: _Metadata | None = None
    """The artifact's metadata contain these."""
    min_size_bytes: BigInteger | None = None
    max_size_bytes: BigInteger | None = None

    @property
    def is_empty(self) -> bool:
        """Whether it means every artifact."""
        return not self.model_dump(exclude_none=True)

    @model_validator(mode="after")
    def _sizes_in_order(self) -> Self:
        least, most = self.min_size_bytes, self.max_size_bytes
        if least is not None and most is not None and least > most:
            raise ValueError("min_size_bytes is more than max_size_bytes: nothing is meant")
        return self
