"""The OpenAPI document and the page that shows it."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
from fastapi import FastAPI

from functions.http.faults import FAULTS
from functions.http.openapi import write_openapi
from tests.integration.http.caller import Caller, problem

COPY = Path(__file__).parents[3] / "docs" / "openapi.json"
ANONYMOUS = {"/api/health/live", "/api/health/ready", "/api/openapi.json"}
INTERNAL = ("/api/admin/", "/api/v1/", "/api/builds")
Json = dict[str, Any]


@pytest.fixture
def document() -> Json:
    """The committed copy, which the first test compares with what is served."""
    return json.loads(COPY.read_text())


def operations(document: Json) -> Iterator[tuple[str, str, Json]]:
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            yield path, method, operation


def test_the_committed_copy_is_what_anyone_is_served(app: FastAPI, anonymous: Caller) -> None:
    written = write_openapi(app.routes)
    found = anonymous.get("/api/openapi.json")
    assert found.headers["content-type"] == "application/json"
    assert found.json() == json.loads(written)
    assert found.json()["openapi"] == "3.1.0"
    assert COPY.read_text() == written, "the copy has drifted: run 'make openapi'"


def test_every_operation_but_the_anonymous_asks_for_a_key_or_a_token(document: Json) -> None:
    schemes = document["components"]["securitySchemes"]
    assert schemes["ApiKey"]["name"] == "X-API-Key"
    assert schemes["BearerToken"]["scheme"] == "bearer"
    for path, _, operation in operations(document):
        asked: list[Json] = [] if path in ANONYMOUS else [{"ApiKey": []}, {"BearerToken": []}]
        assert operation.get("security", []) == asked, path


def test_every_operation_is_named_once_and_described(document: Json) -> None:
    names = [operation["operationId"] for *_, operation in operations(document)]
    assert len(set(names)) == len(names)
    for path, _, operation in operations(document):
        assert operation["description"], path
        if path not in ANONYMOUS:
            assert re.search(r"Needs the scope `(read|write|admin)`\.$", operation["description"])


def test_every_guarded_operation_tells_of_its_problems(document: Json) -> None:
    for path, method, operation in operations(document):
        if path in ANONYMOUS:
            continue
        responses = operation["responses"]
        assert {"401", "403", "413", "422", "500", "503"} <= set(responses), path
        assert ("415" in responses) == ("requestBody" in operation), path
        if "{artifact_id}" in path:
            assert "404" in responses, path
        if any(each["name"] == "if-match" for each in operation.get("parameters", ())):
            assert "412" in responses, path
        for status, response in responses.items():
            told = [*response.get("content", {})]
            assert told == (["application/problem+json"] if status >= "4" else told), (path, method)


def test_every_error_of_the_registry_is_a_problem_with_an_example(document: Json) -> None:
    examples = document["components"]["examples"]
    told = {example["value"]["type"] for example in examples.values()}
    assert told >= {kind.uri for kind in FAULTS.values()}
    assert all(
        name == example["value"]["type"].split(":")[-1] for name, example in examples.items()
    )


def test_every_body_and_every_answer_has_an_example(document: Json) -> None:
    for path, _, operation in operations(document):
        if path in ANONYMOUS:
            continue
        contents = [response.get("content", {}) for response in operation["responses"].values()]
        contents.append(operation.get("requestBody", {}).get("content", {}))
        for content in contents:
            for media in content.values():
                examples = media.get("schema", {}).get("examples")
                assert "example" in media or "examples" in media or examples, path


def test_only_the_internal_surfaces_know_of_artifact_ids(document: Json) -> None:
    knowing = {
        path
        for path, _, operation in operations(document)
        if "artifact_id" in json.dumps(resolve(operation["responses"], document))
    }
    assert knowing
    assert all(path.startswith(INTERNAL) for path in knowing)


def test_no_problem_outside_the_internal_surfaces_tells_an_artifact_id(
    operator: Caller, anonymous: Caller, writer: Caller
) -> None:
    made = writer.call(
        "POST", "/api/v1/artifacts", json={"client_type": "a", "client_refs": {"a": "b"}}
    ).json()["artifact_id"]
    for path in ("/api/health", "/api/docs", "/api/openapi.json", "/api", "/"):
        for caller in (operator, anonymous):
            for method in ("GET", "POST", "DELETE"):
                found = caller.call(method, f"{path}/{made}?artifact_id={made}")
                assert "artifact_id" not in found.text
                assert made not in found.text


def resolve(part: Any, document: Json, within: tuple[str, ...] = ()) -> Any:
    """The part with every reference replaced by what it refers to."""
    match part:
        case [*items]:
            return [resolve(each, document, within) for each in items]
        case {"$ref": reference} if reference in within:
            return reference
        case {"$ref": reference}:
            found: Any = document
            for step in reference.removeprefix("#/").split("/"):
                found = found[step]
            return resolve(found, document, (*within, reference))
        case {**members}:
            return {name: resolve(each, document, within) for name, each in members.items()}
        case _:
            return part


def test_every_example_is_of_the_form_that_is_documented(document: Json) -> None:
    checked = 0
    whole = jsonschema_rs.Registry([("urn:registry", document)])
    for path, method, operation in operations(document):
        for media in media_types(operation):
            schema = json.dumps(media["schema"]).replace('"#/', '"urn:registry#/')
            form = jsonschema_rs.validator_for(json.loads(schema), registry=whole)
            for example in examples_of(media, document):
                assert form.is_valid(example), (method, path)
                checked += 1
    assert checked > 100


def media_types(operation: Json) -> Iterator[Json]:
    for told in (*operation["responses"].values(), operation.get("requestBody", {})):
        yield from told.get("content", {}).values()


def examples_of(media: Json, document: Json) -> list[Any]:
    found = [media["example"]] if "example" in media else []
    named = [resolve(each, document)["value"] for each in media.get("examples", {}).values()]
    return [*found, *named, *media["schema"].get("examples", [])]


def test_the_page_loads_nothing_from_elsewhere(anonymous: Caller) -> None:
    page = anonymous.get("/api/docs")
    assert page.headers["content-type"].startswith("text/html")
    assert "default-src 'none'" in page.headers["content-security-policy"]
    assert "//" not in page.text.replace("<!--", "")
    loaded = re.findall(r'(?:src|href)="(/[^"]+)"', page.text)
    assert len(loaded) == 3
    for path in loaded:
        found = anonymous.get(path)
        assert found.status_code == 200, path
        assert found.content
    assert '"/api/openapi.json"' in anonymous.get("/api/docs/start.js").text


def test_the_page_is_swagger_ui_that_knows_openapi_31(anonymous: Caller) -> None:
    bundle = anonymous.get("/api/docs/swagger-ui-bundle.js").text
    version = re.search(r'PACKAGE_VERSION:"(\d+)\.', bundle)
    assert version
    assert int(version[1]) >= 5


@pytest.mark.parametrize(
    "name", ["redoc.standalone.js", "..%2fcore.py", "../core.py", "..", "%00", "a/b"]
)
def test_no_other_file_is_served(anonymous: Caller, name: str) -> None:
    problem(anonymous.get(f"/api/docs/{name}"), 404, "not-found")
