"""`bldst artifact`: only what was said is sent; what destroys asks."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.integration.cli.conftest import Terminal, refused
from tests.integration.cli.test_trouble import answering

WHAT = ("--type", "ami", "--path", "s3://b/k", "--state", "10", "--backend", "s3")
LATER = (datetime.now(UTC) + timedelta(days=30)).replace(microsecond=0)
NEXT = {"Link": '<?limit=1000&cursor=a%2Bb>; rel="next"'}


def make(server: Terminal, build_id: str, name: str, *more: str) -> Any:
    return server.read("artifact", "create", build_id, "--name", name, *WHAT, *more)


def test_what_is_not_said_is_as_the_registry_has_it(server: Terminal, build_id: str) -> None:
    plain = make(server, build_id, "plain")
    assert (plain["is_resumable"], plain["is_final"], plain["checksum"]) == (True, False, None)
    said = make(
        *(server, build_id, "said", "--no-resumable", "--final", "--size", "0"),
        *("--checksum", "md5:" + "0" * 32, "--metadata", '{"vm": {"id": 7}}'),
        *("--expires-at", LATER.isoformat()),
    )
    assert (said["is_resumable"], said["is_final"], said["size_bytes"]) == (False, True, 0)
    assert (said["checksum_algorithm"], said["metadata"]) == ("md5", {"vm": {"id": 7}})
    assert datetime.fromisoformat(said["expires_at"]) == LATER


def test_lists_combine_their_filters(server: Terminal, build_id: str) -> None:
    first = make(server, build_id, "a")
    second = make(server, build_id, "b", "--no-resumable", "--final")
    listed = ("artifact", "list", build_id)
    assert server.read(*listed) == [first, second]
    assert server.read(*listed, "--no-resumable") == [second]
    assert server.read(*listed, "--no-final", "--state", "10", "--type", "ami") == [first]
    assert server.read(*listed, "--resumable", "--final") == []
    assert server.run(*listed, "--resumable", "--final").stdout.count("\n") == 4
    some = server.run(*listed, "--limit", "1")
    assert some.stderr == "there are more: raise --limit, or leave it out\n"


def test_an_update_changes_what_was_said_and_nothing_else(server: Terminal, build_id: str) -> None:
    more = ("--expires-at", LATER.isoformat(), "--metadata", '{"a": 1, "b": 2}')
    made = make(server, build_id, "a", "--final", *more)
    change = ("artifact", "update", build_id, made["id"])
    told = server.read(*change, "--metadata", '{"b": 3}', "--no-resumable")
    unlike = {name for name, value in told.items() if made[name] != value}
    assert unlike - {"updated_at"} == {"metadata", "is_resumable"}
    assert told["metadata"] == {"a": 1, "b": 3}
    assert server.read(*change, "--no-expiry")["expires_at"] is None
    refused(server.run(*change), 2, "nothing is to be changed")
    both = server.run(*change, "--no-expiry", "--expires-at", LATER.isoformat())
    refused(both, 2, "--no-expiry")
    refused(server.run(*change, "--final", "--if-match", '"other"'), 5)


def test_a_name_in_use_is_a_conflict_or_a_revision(server: Terminal, build_id: str) -> None:
    first = make(server, build_id, "a")
    again = ("artifact", "create", build_id, "--name", "a", *WHAT)
    refused(server.run(*again), 5)
    second = server.read(*again, "--overwrite")
    assert second["revision"] == first["revision"] + 1


def test_a_deleted_name_is_free_again(server: Terminal, build_id: str) -> None:
    made = make(server, build_id, "a")
    delete = ("artifact", "delete", build_id, made["id"])
    refused(server.run(*delete), 2, "--yes")
    assert server.read("artifact", "list", build_id) == [made]
    gone = server.read(*delete, "--yes")
    assert (gone["id"], gone["status"]) == (made["id"], "deleted")
    assert server.read("artifact", "list", build_id) == []
    assert server.read("artifact", "get", build_id, made["id"])["status"] == "deleted"
    assert make(server, build_id, "a")["id"] != made["id"]


@pytest.mark.parametrize(("typed", "code", "left"), [("y", 0, 0), ("", 1, 1)])
def test_at_a_terminal_only_a_yes_deletes(
    server: Terminal, build_id: str, typed: str, code: int, left: int
) -> None:
    made = make(server, build_id, "base")
    done = server.answer(typed, "artifact", "delete", build_id, made["id"])
    assert ("base" in done.stderr, "s3://b/k" in done.stderr) == (True, True)
    assert done.exit_code == code, done.stderr
    assert len(server.read("artifact", "list", build_id)) == left


def test_bytes_elsewhere_cannot_be_verified(server: Terminal, build_id: str) -> None:
    made = make(server, build_id, "a", "--checksum", "0" * 64)
    refused(server.run("artifact", "verify", build_id, made["id"]), 5)


def test_a_list_goes_on_where_a_link_says(server: Terminal, build_id: str) -> None:
    with answering((200, NEXT, b'[{"id": "1"}]'), (200, {}, b'[{"id": "2"}]')) as (url, asked):
        away = server.having(BLDST_API_URL=url)
        assert away.read("artifact", "list", build_id) == [{"id": "1"}, {"id": "2"}]
    assert asked == [
        f"/api/builds/{build_id}/artifacts?limit=1000",
        f"/api/builds/{build_id}/artifacts?limit=1000&cursor=a%2Bb",
    ]


@pytest.mark.parametrize(
    "answer",
    [
        (200, {}, b"{}"),
        (200, {}, b"[1]"),
        (200, {}, b"<html>"),
        (404, {}, b"[]"),
        (200, NEXT, b"[]"),
    ],
)
def test_what_is_no_list_is_told_in_one_line(
    server: Terminal, build_id: str, answer: tuple[int, dict[str, str], bytes]
) -> None:
    with answering(answer) as (url, _):
        result = server.having(BLDST_API_URL=url).run("artifact", "list", build_id)
    refused(result, 1)
