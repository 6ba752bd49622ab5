import re
from collections.abc import Callable
from itertools import groupby
from pathlib import Path

import pytest
from tree_sitter import Node

from infra.check.checking import check, findings, plans_of, sources
from infra.check.reading import parse
from tests.infra.mutations import OPERATORS, Mutation, mutations

FILES = sources(Path(__file__).parents[2])
BICEP = [path for path in FILES if path.endswith(".bicep")]
EACH = 10
"""So many places of each operator in the fast suite, spread over all files; all in the long one."""


def _some(made: list[Mutation]) -> list[Mutation]:
    return [
        each
        for _, group in groupby(made, key=lambda mutation: mutation.operator)
        for each in _spread(list(group))
    ]


def _spread(group: list[Mutation]) -> list[Mutation]:
    return group[:: max(1, len(group) // EACH)][:EACH]


def _unnoticed(made: list[Mutation]) -> list[str]:
    return [str(each) for each in made if next(findings(each.applied(FILES)), None) is None]


def test_a_mistake_of_every_kind_is_noticed() -> None:
    made = _some(mutations(FILES, OPERATORS))

    assert {each.operator for each in made} == set(OPERATORS)
    assert len(made) >= 200
    assert _unnoticed(made) == []


@pytest.mark.long
@pytest.mark.parametrize("operator", OPERATORS)
def test_every_mistake_is_noticed(operator: str) -> None:
    assert _unnoticed(mutations(FILES, {operator: OPERATORS[operator]})) == []


def _commented(text: str) -> str:
    """A comment at the end of each line that is not within a text of several lines."""
    within = {row for node in _texts(parse(text)) for row in range(node[0], node[1])}
    return "\n".join(
        line if row in within or not line.strip() else f"{line} // {{ ' said"
        for row, line in enumerate(text.split("\n"))
    )


def _texts(node: Node) -> list[tuple[int, int]]:
    if node.type == "string":
        return [(node.start_point.row, node.end_point.row)]
    return [rows for child in node.children for rows in _texts(child)]


def _spaced(text: str) -> str:
    return re.sub(r"(?m)^(param|var|resource|module|output|@)", r"\n\n\1", text)


def _reversed(text: str) -> str:
    """All declarations in the opposite order, each with its decorators."""
    nodes = [child for child in parse(text).named_children if child.type != "comment"]
    pieces: list[str] = []
    for node in nodes:
        said = (node.text or b"").decode()
        if pieces and pieces[-1].startswith("@"):
            pieces[-1] += f"\n{said}"
        else:
            pieces.append(said)
    return "\n\n".join(reversed(pieces)) + "\n"


def _renamed(text: str) -> str:
    """A variable by another name, wherever it is spoken of."""
    found = re.search(r"(?m)^var (\w+) =", text)
    return re.sub(rf"(?<![\w.'-]){found[1]}\b(?!:)", f"{found[1]}Too", text) if found else text


def _changed(text: str) -> str:
    return _commented(_spaced(_reversed(text)))


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(_changed, id="all"),
        pytest.param(_commented, marks=pytest.mark.long, id="comments"),
        pytest.param(_spaced, marks=pytest.mark.long, id="blank lines"),
        pytest.param(_reversed, marks=pytest.mark.long, id="order"),
    ],
)
def test_what_changes_no_meaning_passes(change: Callable[[str], str]) -> None:
    changed = {path: change(text) if path in BICEP else text for path, text in FILES.items()}

    assert changed != FILES
    assert check(changed) == []
    assert _planned(changed) == _planned(FILES)


@pytest.mark.long
def test_a_variable_may_have_any_name() -> None:
    path = "infra/modules/host-storage.bicep"
    changed = {**FILES, path: _renamed(FILES[path])}

    assert changed != FILES
    assert check(changed) == []


def _planned(files: dict[str, str]) -> dict[str, object]:
    plan = next(plans_of(files))
    return {address: str(each.body) for address, each in plan.by_address.items()}
