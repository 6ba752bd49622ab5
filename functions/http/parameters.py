"""Parameters that several routes take."""

from typing import Annotated

from fastapi import Query
from pydantic import Field

from shared.models.artifacts import Name
from shared.models.text import Text
from shared.services.artifact_reads import MAXIMUM_PAGE

DEFAULT_PAGE = 100

Limit = Annotated[int, Query(ge=1, le=MAXIMUM_PAGE)]
Cursor = Annotated[str | None, Query(max_length=1000, description="`next` of the page before.")]
ClientTypeText = Annotated[Text, Field(min_length=1, max_length=50)]
ClientType = Annotated[Text, Query(min_length=1, max_length=50)]
OptionalClientType = Annotated[Text | None, Query(min_length=1, max_length=50)]
ItemName = Annotated[Name | None, Query()]
