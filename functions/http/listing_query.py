"""The query of a list of artifacts: the filter as text, and how to go through what it finds."""

from collections.abc import Callable
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, ConfigDict, Field, JsonValue, WithJsonSchema

from functions.http.parameters import DEFAULT_PAGE
from functions.http.strict_json import parse_strict_json
from shared.errors import InvalidInput
from shared.models.artifacts import Name
from shared.models.client_refs import ClientRefs
from shared.models.listings import ArtifactFilter, ArtifactSort
from shared.models.text import keepable_json
from shared.services.artifact_reads import MAXIMUM_PAGE


def _read_json(pointer: str) -> Callable[[object], object]:
    def read(text: object) -> object:
        if not isinstance(text, str):
            return text
        told = parse_strict_json(text, pointer)
        if told is None:  # which would be no filter at all
            raise InvalidInput("Not a JSON object.", pointer)
        return told

    return read


_JSON_TEXT = WithJsonSchema({"type": "string", "contentMediaType": "application/json"})


class ListingQuery(ArtifactFilter):
    """A filter whose objects are written as JSON; a parameter that is none of these is refused."""

    model_config = ConfigDict(extra="forbid", defer_build=False)

    client_refs: Annotated[
        ClientRefs | None,
        BeforeValidator(_read_json("/client_refs")),
        _JSON_TEXT,
        Field(description="A JSON object that the asset's references contain."),
    ] = None
    metadata: Annotated[
        Annotated[dict[str, JsonValue], AfterValidator(keepable_json)] | None,
        BeforeValidator(_read_json("/metadata")),
        _JSON_TEXT,
        Field(description="A JSON object that the artifact's metadata contain."),
    ] = None
    job_id: Annotated[Name | None, Field(description="Short for `source_job_id`.")] = None
    sort: ArtifactSort = ArtifactSort.CREATED_DESCENDING
    limit: Annotated[int, Field(ge=1, le=MAXIMUM_PAGE)] = DEFAULT_PAGE
    cursor: Annotated[
        str | None,
        Field(max_length=1000, description="`next` of the page before; belongs to its filter."),
    ] = None
    code: Annotated[str | None, Field(description="A function key of the host; ignored.")] = None

    def filter(self) -> ArtifactFilter:
        """The filter alone, its values checked already; raises InvalidInput for two job ids."""
        if self.job_id is not None and self.source_job_id is not None:
            raise InvalidInput("A parameter is given under both of its names.", "/source_job_id")
        values = {name: getattr(self, name) for name in ArtifactFilter.model_fields}
        if self.job_id is not None:
            values["source_job_id"] = self.job_id
        return ArtifactFilter.model_construct(**values)
