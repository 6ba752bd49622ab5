"""Whoever follows a link of the documentation within the repository arrives."""

import re
from collections.abc import Iterator
from functools import cache
from itertools import pairwise
from pathlib import Path
from urllib.parse import unquote, urlsplit

from markdown_it import MarkdownIt
from markdown_it.token import Token

PROJECT = Path(__file__).parents[2]
FOLDERS = (".github", "bench", "charts", "docs", "infra", "tests")
PAGES = sorted(
    page
    for pages in (PROJECT.glob("*.md"), *((PROJECT / each).rglob("*.md") for each in FOLDERS))
    for page in pages
    if "node_modules" not in page.parts
)
_TARGET = {"link_open": "href", "image": "src"}


@cache
def _tokens(page: Path) -> tuple[Token, ...]:
    blocks = MarkdownIt("commonmark").enable("table").parse(page.read_text(encoding="utf-8"))
    return tuple(inner for block in blocks for inner in (block, *(block.children or ())))


def _links(page: Path) -> Iterator[str]:
    """What a page points at within the repository."""
    for token in _tokens(page):
        if name := _TARGET.get(token.type):
            link = str(token.attrs[name])
            if not urlsplit(link).scheme:
                yield link


@cache
def _anchors(page: Path) -> frozenset[str]:
    """As GitHub makes them of headings: lower case, without marks, hyphens for spaces."""
    tokens = _tokens(page)
    return frozenset(
        re.sub(r"[^\w\- ]", "", _text(heading)).lower().replace(" ", "-")
        for before, heading in pairwise(tokens)
        if before.type == "heading_open"
    )


def _text(heading: Token) -> str:
    return "".join(each.content for each in heading.children or ())


def _broken(page: Path) -> Iterator[str]:
    for link in _links(page):
        parts = urlsplit(link)
        target = (page.parent / unquote(parts.path)).resolve() if parts.path else page
        if not target.exists():
            yield f"{page.relative_to(PROJECT)}: {link}: no such file"
        elif parts.fragment and parts.fragment not in _anchors(target):
            yield f"{page.relative_to(PROJECT)}: {link}: no such heading"


def _within_reach(page: Path) -> set[Path]:
    """The pages that links lead to from this one, over others."""
    reached, ahead = set[Path](), [page]
    while ahead:
        at = ahead.pop()
        if at not in reached and at.suffix == ".md":
            reached.add(at)
            ahead += [(at.parent / urlsplit(link).path).resolve() for link in _links(at)]
    return reached


def test_links_lead_to_files_and_headings_that_are_there() -> None:
    assert sum(len(list(_links(page))) for page in PAGES) > 100
    assert [broken for page in PAGES for broken in _broken(page)] == []


def test_every_page_is_within_reach_of_the_readme() -> None:
    assert set(PAGES) - _within_reach(PROJECT / "README.md") == set()
