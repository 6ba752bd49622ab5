"""The trace that a message is sent in: it comes off to the byte, and nobody else's text does."""

import json
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from shared.telemetry.traces import span, traced, untraced
from tests.collecting import Collected, collecting, context_of

PARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text().filter("traceparent".__ne__), inner),
)


@pytest.fixture
def collected(monkeypatch: pytest.MonkeyPatch) -> Iterator[Collected]:
    with collecting(monkeypatch) as collected:
        yield collected


@given(document=JSON)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_what_is_sent_is_json_and_becomes_what_it_was(
    collected: Collected, document: object
) -> None:
    text = json.dumps(document)
    with span("sending") as step:
        sent = traced(text)
    assert untraced(sent.encode())[0] == text.encode()
    if isinstance(document, dict) and document:
        told = json.loads(sent)
        assert f"{step.get_span_context().trace_id:032x}" == told.pop("traceparent").split("-")[1]
        assert told == document
    else:
        assert sent == text


def test_a_message_that_is_sent_in_no_trace_is_sent_as_it_is(collected: Collected) -> None:
    assert traced('{"a": 1}') == '{"a": 1}'


def test_where_nobody_collects_nothing_is_added_to_a_message() -> None:
    """Not even the host's own trace: an earlier version would refuse the member."""
    with span("sending"):
        assert traced('{"a": 1}') == '{"a": 1}'


@pytest.mark.parametrize(
    "body",
    [
        f'[{{"a": 1, "traceparent": "{PARENT}"}}]',
        f'{{"data": {{"a": 1, "traceparent": "{PARENT}"}}}}',
        f'{{"traceparent": "{PARENT}", "a": 1}}',
        f'{{"a": 1, "traceparent": "{PARENT.upper()}"}}',
        '{"a": 1, "traceparent": "anything"}',
        f'"a, \\"traceparent\\": \\"{PARENT}\\"}}"',
        "",
    ],
)
def test_what_only_looks_like_it_stays_in_the_message(body: str) -> None:
    assert untraced(body.encode()) == (body.encode(), None)


def test_an_error_is_told_by_its_kind_and_never_by_its_words(collected: Collected) -> None:
    def fail() -> None:
        with span("failing"):
            raise ValueError("https://a.example/c/b?sig=secret")

    with pytest.raises(ValueError, match="secret"):
        fail()
    told = collected.spans["failing"]
    assert not told.status.is_ok
    assert dict(told.attributes or {}) == {"error.type": "ValueError"}
    assert "secret" not in told.to_json()
    assert context_of(told).is_valid
