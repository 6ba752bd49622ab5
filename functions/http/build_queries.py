"""Queries of lists of builds and of their artifacts; the route refuses any other parameter."""

from typing import Annotated, TypeVar

from fastapi import Query
from pydantic import BaseModel, ConfigDict, Field

from functions.http.parameters import DEFAULT_PAGE
from shared.models.build_artifacts import BuildArtifactFilter
from shared.models.builds import BuildFilter
from shared.services.artifact_reads import MAXIMUM_PAGE

Filter = TypeVar("Filter", bound=BaseModel)

_Limit = Annotated[int, Field(ge=1, le=MAXIMUM_PAGE)]

WholeLimit = Annotated[int, Query(ge=1, le=MAXIMUM_PAGE)]
"""By default as many as a page may hold: most builds have fewer states."""


class _Paged(BaseModel):
    model_config = ConfigDict(extra="ignore")  # a function's key, which the route lets through

    cursor: Annotated[
        str | None,
        Field(max_length=1000, description="Of the page before; belongs to its filter."),
    ] = None


class BuildsQuery(BuildFilter, _Paged):
    """A filter of builds, and how to go through what it finds."""

    limit: _Limit = DEFAULT_PAGE

    def filter(self) -> BuildFilter:
        return _filter(BuildFilter, self)


class BuildArtifactsQuery(BuildArtifactFilter, _Paged):
    """A filter of a build's artifacts, likewise."""

    limit: _Limit = MAXIMUM_PAGE

    def filter(self) -> BuildArtifactFilter:
        return _filter(BuildArtifactFilter, self)


def _filter(kind: type[Filter], query: BaseModel) -> Filter:
    """The filter alone, its values checked already."""
    return kind.model_construct(**{name: getattr(query, name) for name in kind.model_fields})
