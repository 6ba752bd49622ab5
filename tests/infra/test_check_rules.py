from functools import cache
from pathlib import Path

import pytest

from infra.check.checking import check, findings, plans_of, sources
from infra.check.rules import RULES, TEMPLATE_RULES
from tests.infra.mistakes import MISTAKES, WRITTEN, Mistake

ROOT = Path(__file__).parents[2]


@cache
def _files() -> dict[str, str]:
    return sources(ROOT)


def _with(mistake: Mistake) -> dict[str, str]:
    name, before, after = mistake
    path = (
        f"infra/{name.removeprefix('../')}.bicep" if "/" in name else f"infra/modules/{name}.bicep"
    )
    text = _files()[path]
    assert before in text, f"{path} no longer says {before!r}: make the mistake another way"
    return {**_files(), path: text.replace(before, after, 1)}


def test_the_infrastructure_is_as_it_should_be() -> None:
    assert [str(finding) for finding in check(_files())] == []


def test_every_rule_says_why_it_is_there_and_has_a_mistake() -> None:
    assert set(MISTAKES) == set(RULES)
    assert set(TEMPLATE_RULES) < set(WRITTEN)


@pytest.mark.parametrize("rule", MISTAKES)
def test_each_rule_finds_its_mistake(rule: str) -> None:
    made = plans_of(_with(MISTAKES[rule]))

    assert any(True for plan in made for _ in RULES[rule](plan))


@pytest.mark.parametrize("rule", WRITTEN)
def test_what_is_written_wrong_is_found_by_name(rule: str) -> None:
    assert any(finding.rule == rule for finding in findings(_with(WRITTEN[rule])))
