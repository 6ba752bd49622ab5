"""The path patterns of blob triggers."""

import pytest

from devhost.host.blob_paths import BlobPathPattern
from devhost.host.errors import FunctionLoadError


@pytest.mark.parametrize(
    ("path", "name", "expected"),
    [
        ("uploads/{name}", "a/b.tif", {"name": "a/b.tif"}),
        ("uploads/{name}.tif", "a.tif", {"name": "a"}),
        ("uploads/{name}.tif", "a.TIF", None),
        ("uploads/{name}.{ext}", "a.tar.gz", {"name": "a.tar", "ext": "gz"}),
        ("uploads/raw-{name}", "raw-a", {"name": "a"}),
        ("uploads/raw-{name}", "cooked-a", None),
        ("uploads/{a}/{b}/c", "1/2/c", {"a": "1", "b": "2"}),
        ("uploads/fixed.txt", "fixed.txt", {}),
        ("uploads/fixed.txt", "fixed_txt", None),
        ("uploads/{{20140101}}-{name}", "{20140101}-a", {"name": "a"}),
        ("uploads", "anything/at all", {}),
        ("/uploads/{name}", "line\nbreak", {"name": "line\nbreak"}),
    ],
)
def test_a_name_gives_the_parameters_of_its_pattern(
    path: str, name: str, expected: dict[str, str] | None
) -> None:
    pattern = BlobPathPattern.parse(path)
    assert pattern.container == "uploads"
    assert pattern.match(name) == expected


@pytest.mark.parametrize(
    ("path", "prefix"),
    [
        ("uploads/{name}", ""),
        ("uploads/raw/{name}.tif", "raw/"),
        ("uploads/{{x}}{name}", "{x}"),
        ("uploads/fixed.txt", "fixed.txt"),
        ("uploads", ""),
    ],
)
def test_the_fixed_beginning_narrows_the_listing(path: str, prefix: str) -> None:
    assert BlobPathPattern.parse(path).prefix == prefix


@pytest.mark.parametrize(
    "path", ["", "/", "{container}/{name}", "uploads/{name", "uploads/name}", "uploads/{a}{a}"]
)
def test_a_path_that_cannot_be_used_is_refused(path: str) -> None:
    with pytest.raises(FunctionLoadError):
        BlobPathPattern.parse(path)
