"""Route templates, their order, and the paths that are matched against them."""

import pytest

from devhost.host.errors import FunctionLoadError
from devhost.host.model import Binding, FunctionSpec
from devhost.host.paths import decode_path, encode_path
from devhost.host.routes import Template, build_routes


def _function(name: str, route: str | None, *methods: str) -> FunctionSpec:
    properties = {"methods": list(methods)} | ({"route": route} if route is not None else {})
    trigger = Binding("httpTrigger", "req", "in", properties)
    return FunctionSpec(name, trigger, (), repr, False, {"req": None})


@pytest.mark.parametrize(
    ("template", "path", "parameters"),
    [
        ("items", "/items", {}),
        ("items", "/ITEMS/", {}),
        ("items", "/items/1", None),
        ("items", "/item", None),
        ("", "/", {}),
        ("{x}", "/a", {"x": "a"}),
        ("{x}", "/", None),
        ("{x}", "/a/b", None),
        ("{x}/b", "/a/B/", {"x": "a"}),
        ("a/{x?}", "/a", {}),
        ("a/{x?}", "/a/1", {"x": "1"}),
        ("a/{x=7}", "/a", {"x": "7"}),
        ("a/{x=7}", "/a/8", {"x": "8"}),
        ("{*rest}", "/", {}),
        ("{*rest}", "/a/b", {"rest": "a/b"}),
        ("a/{*rest}", "/a", {}),
        ("a/{*rest}", "/a/", {}),
        ("a/{*rest}", "/a/b/c/", {"rest": "b/c/"}),
        ("a/{*rest}", "/ab", None),
        ("a/{**rest}", "/a/b/c", {"rest": "b/c"}),
        ("a/{x}.{kind}", "/a/b.c.tif", {"x": "b.c", "kind": "tif"}),
        ("v{version}/x", "/v2/x", {"version": "2"}),
        ("a//b", "/a/b", None),
        ("a/{x}", "/a//", None),
        ("{{literal}}/{x}", "/{literal}/1", {"x": "1"}),
        ("a.b/{x}", "/aXb/1", None),
        ("{x}", "/with space\n", {"x": "with space\n"}),
    ],
)
def test_templates_match_as_in_asp_net(
    template: str, path: str, parameters: dict[str, str] | None
) -> None:
    assert Template.parse(template).match(path) == parameters


@pytest.mark.parametrize(
    ("constraint", "fits", "unfit"),
    [
        ("alpha", ["abc", "ABC"], ["a1", "a-b"]),
        ("bool", ["true", "False"], ["1", "yes"]),
        ("datetime", ["2026-01-02", "2026-01-02T03:04:05"], ["tomorrow", "2026-13-01"]),
        ("decimal", ["1", "-1.5", ".5"], ["1,5", "a"]),
        ("double", ["1e5", "1.5"], ["inf x", "a"]),
        ("float", ["+1.5"], ["a"]),
        (
            "guid",
            ["01890a5d-ac96-774b-bcce-b302099a8057", "01890A5DAC96774BBCCEB302099A8057"],
            ["01890a5d", "01890a5d-ac96-774b-bcce-b302099a805g"],
        ),
        ("guid", ["{01890a5d-ac96-774b-bcce-b302099a8057}"], ["{01890a5dac96774bbcceb302099a8057"]),
        ("int", ["0", "-5", "2147483647"], ["2147483648", "1.0", "a", "1_000"]),
        ("length(3)", ["abc"], ["ab", "abcd"]),
        ("length(2,3)", ["ab", "abc"], ["a", "abcd"]),
        ("long", ["9223372036854775807"], ["9223372036854775808"]),
        ("max(9)", ["9", "-1"], ["10", "a"]),
        ("maxlength(2)", ["a", "ab"], ["abc"]),
        ("min(3)", ["3", "10"], ["2", "a"]),
        ("minlength(2)", ["ab"], ["a"]),
        ("range(3,5)", ["3", "5"], ["2", "6"]),
        ("regex(^[a-c]+$)", ["abc", "ABC"], ["abd"]),
        (r"regex(^\d{{3}}-(\d)?$)", ["123-", "123-4"], ["12-", "123-45"]),
        ("required", ["a"], []),
        ("INT", ["1"], ["a"]),
        ("int:min(3):max(5)", ["4"], ["2", "6", "a"]),
        ("alpha?", ["abc"], ["1"]),
    ],
)
def test_inline_constraints_decide_whether_a_route_matches(
    constraint: str, fits: list[str], unfit: list[str]
) -> None:
    template = Template.parse(f"x/{{value:{constraint}}}")
    for value in fits:
        assert template.match(f"/x/{value}") == {"value": value}
    for value in unfit:
        assert template.match(f"/x/{value}") is None


def test_a_missing_optional_parameter_meets_any_constraint() -> None:
    assert Template.parse("x/{value:int?}").match("/x") == {}


@pytest.mark.parametrize(
    "template", ["{x", "x}", "{x:unknown}", "{x:int(3)}", "{x:regex(()}", "{x}/{X}", "{x y}", "{}"]
)
def test_an_invalid_template_is_refused(template: str) -> None:
    with pytest.raises(FunctionLoadError, match="route"):
        Template.parse(template)


def test_the_first_match_in_the_order_of_names_wins_over_a_more_exact_one() -> None:
    table = build_routes([_function("a", "{anything}"), _function("b", "literal")], "api")
    found = table.find("GET", "/api/literal")
    assert found is not None
    assert found[0].function.name == "a"


def test_a_wrong_method_leaves_the_request_to_the_next_route() -> None:
    table = build_routes([_function("a", "x", "GET"), _function("b", "{any}", "POST")], "")
    found = table.find("POST", "/x")
    assert found is not None
    assert found[0].function.name == "b"
    assert table.find("PUT", "/x") is None


def test_a_function_without_a_route_answers_under_its_name() -> None:
    (route,) = build_routes([_function("Status", None)], "/api/").routes
    assert route.path == "api/Status"


@pytest.mark.parametrize("route", ["admin", "/Admin/x", "administrators", "runtime/{x}"])
@pytest.mark.parametrize("prefix", ["", "api"])
def test_routes_of_the_host_are_refused_whatever_the_prefix(route: str, prefix: str) -> None:
    table = build_routes([_function("a", route), _function("b", "fine")], prefix)
    assert [kept.function.name for kept in table.routes] == ["b"]
    assert "kept for the host" in table.refused["a"]


def test_an_admin_segment_behind_another_is_allowed_without_a_prefix() -> None:
    table = build_routes([_function("a", "api/admin/{*rest}")], "")
    assert table.find("GET", "/api/admin/artifacts") is not None


def test_the_same_route_and_method_twice_refuses_the_later_function() -> None:
    functions = [
        _function("a", "x", "GET"),
        _function("b", "x", "POST"),
        _function("c", "X", "GET", "PUT"),
        _function("d", "x"),
    ]
    table = build_routes(functions, "api")
    assert [route.function.name for route in table.routes] == ["a", "b"]
    assert "'a'" in table.refused["c"]
    assert "'a'" in table.refused["d"]


@pytest.mark.parametrize(
    ("raw", "decoded"),
    [
        (b"/a%20b", "/a b"),
        (b"/a%2520b", "/a%20b"),
        (b"/a%2Fb%2fc", "/a%2Fb%2fc"),
        (b"/a%23b", "/a#b"),
        (b"/%F0%9F%98%80", "/\N{GRINNING FACE}"),
        (b"/%FF", "/%FF"),
        (b"/a/./b/../c", "/a/c"),
        (b"/a/%2E%2E/c", "/c"),
        (b"/../../a", "/a"),
        (b"/a/..", "/"),
        (b"/a/b/..", "/a/"),
        (b"/a/", "/a/"),
        (b"/", "/"),
    ],
)
def test_a_path_is_decoded_once(raw: bytes, decoded: str) -> None:
    assert decode_path(raw) == decoded


def test_a_nul_in_a_path_is_refused() -> None:
    with pytest.raises(ValueError, match="NUL"):
        decode_path(b"/a%00b")


@pytest.mark.parametrize(
    ("path", "encoded"),
    [
        ("/a b", "/a%20b"),
        ("/a%2Fb", "/a%2Fb"),
        ("/100%", "/100%25"),
        ("/a#b?c", "/a%23b%3Fc"),
        ("/\N{GRINNING FACE}", "/%F0%9F%98%80"),
    ],
)
def test_a_path_is_encoded_for_the_url_that_a_function_sees(path: str, encoded: str) -> None:
    assert encode_path(path) == encoded
