"""What reaches a function over HTTP, and what comes back, on a running dev host."""

import json
import socket
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from tests.devhost.apps import RunningHost, copy_sample, running_host

VALUES = {"SAMPLE_ROUTE": "by-setting", "AzureWebJobs.switched_off.Disabled": "true"}


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningHost]:
    app = copy_sample(tmp_path_factory.mktemp("http") / "app", VALUES)
    with running_host(app) as running:
        yield running


@pytest.fixture
def client(host: RunningHost) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=f"{host.url}/api", trust_env=False) as opened:
        yield opened


def _talk(host: RunningHost, request: bytes) -> bytes:
    """Sends raw bytes and reads until the host closes or has sent a whole response."""
    with socket.create_connection(("127.0.0.1", host.port), timeout=10) as connection:
        connection.sendall(request)
        answer = b""
        while chunk := connection.recv(65536):
            answer += chunk
    return answer


def _seen(host: RunningHost, head: str, body: bytes = b"") -> dict[str, Any]:
    lines = head.strip().replace("\n", "\r\n")
    request = f"{lines}\r\nHost: example.test\r\nConnection: close\r\n\r\n".encode() + body
    status, _, rest = _talk(host, request).partition(b"\r\n")
    assert b" 200 " in status, status
    return json.loads(rest.split(b"\r\n\r\n", 1)[1])


def test_a_function_gets_method_url_and_route_parameters(client: httpx.Client) -> None:
    seen = client.put("/echo/a/b?x=1", content=b"\x00\xff").json()
    assert seen["method"] == "PUT"
    assert seen["url"] == f"{client.base_url}echo/a/b?x=1"
    assert seen["route_params"] == {"rest": "a/b"}
    assert seen["params"] == {"x": "1"}
    assert seen["body"] == "\x00\xff"


def test_a_function_gets_a_context(client: httpx.Client) -> None:
    first, second = client.get("/echo").json(), client.get("/echo").json()
    assert first["function_name"] == "echo"
    assert first["function_directory"].endswith("app")
    assert first["invocation_id"] != second["invocation_id"]
    assert first["thread_invocation_id"] == first["invocation_id"]


def test_header_names_come_lowercase_and_repeated_ones_joined(host: RunningHost) -> None:
    seen = _seen(host, "GET /api/echo HTTP/1.1\nX-One: 1\nx-one: 2\nX-Empty:\nX-TWO: b, c")
    assert seen["headers"]["x-one"] == "1,2"
    assert seen["headers"]["x-two"] == "b, c"
    assert seen["headers"]["x-empty"] == ""
    assert all(name == name.lower() for name in seen["headers"])


def test_empty_query_values_are_dropped_and_repeated_ones_joined(client: httpx.Client) -> None:
    seen = client.get("/echo?a=1&b=&A=2&c&d=x%20y&d=").json()
    assert seen["params"] == {"a": "1,2", "d": "x y"}
    assert seen["url"].endswith("?a=1&b=&A=2&c&d=x%20y&d=")


def test_a_path_is_decoded_once_for_route_parameters(host: RunningHost) -> None:
    seen = _seen(host, "GET /api/echo/a%20b%2520c%2Fd HTTP/1.1")
    assert seen["route_params"] == {"rest": "a b%20c%2Fd"}
    assert seen["url"] == "http://example.test/api/echo/a%20b%20c%2Fd"


def test_a_chunked_body_arrives_empty_with_a_warning(
    host: RunningHost, client: httpx.Client
) -> None:
    seen = client.post("/echo", content=iter([b"some", b"thing"])).json()
    assert seen["headers"]["transfer-encoding"] == "chunked"
    assert seen["body"] == ""
    host.wait_for("WARNING .*POST /api/echo: a chunked body never reaches a function")
    assert client.post("/echo", content=b"again").json()["body"] == "again"


def test_a_request_over_100_mb_is_refused_before_it_is_sent(host: RunningHost) -> None:
    head = "POST /api/echo HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: {}\r\n\r\n"
    answer = _talk(host, head.format(100 * 1024 * 1024 + 1).encode())
    assert answer.startswith(b"HTTP/1.1 413 ")


def test_a_client_that_goes_away_while_sending_leaves_no_trace(
    host: RunningHost, client: httpx.Client
) -> None:
    with socket.create_connection(("127.0.0.1", host.port)) as connection:
        connection.sendall(b"POST /api/echo HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nabc")
    assert client.get("/text").text == "plain GET"
    assert "Exception in ASGI" not in host.output


def test_an_exception_is_500_with_an_empty_body_and_a_logged_traceback(
    host: RunningHost, client: httpx.Client
) -> None:
    response = client.get("/raises")
    assert (response.status_code, response.content) == (500, b"")
    host.wait_for(r"raises failed, run [\w-]+\nTraceback[\s\S]+RuntimeError: told to fail by GET")


@pytest.mark.parametrize("path", ["/nothing", "/dictionary"])
def test_an_answer_that_is_no_response_is_500_with_an_empty_body(
    client: httpx.Client, path: str
) -> None:
    response = client.get(path)
    assert (response.status_code, response.content) == (500, b"")


def test_a_text_is_an_answer(client: httpx.Client) -> None:
    response = client.get("/text")
    assert (response.status_code, response.text) == (200, "plain GET")
    assert response.headers["content-type"] == "text/plain; charset=utf-8"


def test_repeated_response_headers_collapse_except_set_cookie(client: httpx.Client) -> None:
    response = client.get("/headers")
    assert response.status_code == 202
    assert response.headers.get_list("x-repeated") == ["two"]
    assert response.headers.get_list("set-cookie") == ["first=1; Path=/", "second=2; HttpOnly"]


def test_an_answer_without_content_keeps_its_status(client: httpx.Client) -> None:
    response = client.get("/no-content")
    assert (response.status_code, response.content) == (204, b"")


def test_the_first_route_by_name_wins_over_a_literal(client: httpx.Client) -> None:
    assert client.get("/order/literal").text == "order_a"
    assert client.get("/order/one/two").text == "order_c"


def test_literals_match_without_case_and_a_slash_at_the_end_is_ignored(
    client: httpx.Client,
) -> None:
    assert client.get("/ITEMS/3/").text == "number 3"


def test_a_wrong_method_goes_to_the_next_route_and_at_the_end_is_404(
    client: httpx.Client,
) -> None:
    assert client.get("/methods").text == "methods_get"
    assert client.post("/methods").text == "methods_post methods"
    assert client.delete("/methods").status_code == 404


def test_constraints_choose_between_routes(client: httpx.Client) -> None:
    key = "01890a5d-ac96-774b-bcce-b302099a8057"
    assert client.get("/items/42").text == "number 42"
    assert client.get(f"/items/{key}").text == f"key {key}"
    assert client.get("/items/neither").status_code == 404


def test_an_optional_parameter_may_be_missing(client: httpx.Client) -> None:
    assert client.get("/pages").text == "page none"
    assert client.get("/pages/2").text == "page 2"


def test_routes_may_come_from_settings_and_an_unset_one_fails_that_function_only(
    host: RunningHost, client: httpx.Client
) -> None:
    assert client.get("/by-setting").text == "route_by_setting"
    host.wait_for("route_not_set does not run: app setting 'SAMPLE_UNSET' is not set")


def test_a_disabled_function_is_not_served(host: RunningHost, client: httpx.Client) -> None:
    assert client.get("/switched-off").status_code == 404
    host.wait_for("switched_off does not run: disabled")


def test_a_route_of_the_host_is_refused_and_its_paths_are_404(
    host: RunningHost, client: httpx.Client
) -> None:
    assert client.get("/admin/tools").status_code == 404
    assert httpx.get(f"{host.url}/admin/host/status", trust_env=False).status_code == 404
    host.wait_for("refused_admin does not run: its route 'admin/tools' starts with")


def test_keys_are_not_checked(client: httpx.Client) -> None:
    assert client.get("/text", headers={"x-functions-key": "wrong"}).status_code == 200


def test_a_nul_in_the_path_is_400(client: httpx.Client) -> None:
    assert client.get("/echo/a%00b").status_code == 400


def test_an_asgi_app_behind_the_library_s_middleware_answers(client: httpx.Client) -> None:
    response = client.post("/asgi/things/a%20b/c?x=1", content=b"body")
    assert response.json() == {
        "name": "a b/c",
        "body": "body",
        "query": "x=1",
        "root_path": "",
        "client": None,
    }
    assert response.headers["content-type"] == "application/json"
    assert client.post("/asgi/unknown").status_code == 404
