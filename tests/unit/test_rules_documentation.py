"""The documentation of rules says what is so."""

import json
import re
from pathlib import Path

import pytest
import yaml

from shared.errors import InvalidInput
from shared.models.blobs import BlobReference
from shared.models.rules import IngestionRule, RuleList, RuleSet
from shared.models.templates import PathTemplate
from shared.models.uploads import registration_of

_PAGE = (Path(__file__).parents[2] / "docs" / "rules.md").read_text()
_FILE = _PAGE.partition("```yaml\n")[2].partition("```")[0]
_NAMES = re.findall(r"^\| ([a-z-]+) \| `(\S+)` \| (\S+) \| `(\{.*\})` \|$", _PAGE, re.MULTILINE)
_REFUSED = re.findall(
    r"^\| `(\{.*?)` \| .* \| `(\{.*?)`", _PAGE.partition("| refused |")[2], re.MULTILINE
)


@pytest.mark.parametrize(("container", "path", "rule", "refs"), _NAMES)
def test_the_example_makes_of_each_name_what_the_table_says(
    container: str, path: str, rule: str, refs: str
) -> None:
    rules = RuleSet(RuleList.model_validate(yaml.safe_load(_FILE)).rules)
    blob = BlobReference("account1", container, path)
    match = rules.match(blob)
    assert (match.rule.name if match else "none") == rule
    assert registration_of(blob, match, {}, {}).client_refs == json.loads(refs)


@pytest.mark.parametrize(("refused", "instead"), _REFUSED)
def test_what_is_said_to_be_refused_is_and_what_stands_instead_is_not(
    refused: str, instead: str
) -> None:
    with pytest.raises(InvalidInput):
        PathTemplate.parse(refused.replace("\\|", "|"))
    PathTemplate.parse(instead.replace("\\|", "|"))


def test_the_page_has_an_example_and_every_member_of_a_rule() -> None:
    assert (len(_NAMES), len(_REFUSED)) == (5, 4)
    for member in IngestionRule.model_fields:
        assert re.search(rf"^\|.*`{member}`.*\|.*\|.*\|$", _PAGE, re.MULTILINE), member


def test_of_several_placeholders_each_ends_as_the_page_says() -> None:
    for template, table, day in [
        ("{table}_{day}.csv", "road", "names_5"),
        ("{table}_{day:int}.csv", "road_names", 5),
    ]:
        assert f"`{template}`" in _PAGE
        assert PathTemplate.parse(template).match("road_names_5.csv") == {
            "table": table, "day": day
        }  # fmt: skip
