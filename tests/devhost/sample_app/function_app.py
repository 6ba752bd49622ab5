"""A function app that shows what reaches a function and what becomes of its answer."""

import json
import os
import threading
from typing import Any, cast

import azure.functions as func
from fastapi import FastAPI, Request

app = func.FunctionApp(http_auth_level=func.AuthLevel.FUNCTION)
surface = FastAPI()


@surface.post("/api/asgi/things/{name:path}")
async def add_thing(name: str, request: Request) -> dict[str, Any]:
    """Answers with what ASGI makes of a request."""
    return {
        "name": name,
        "body": (await request.body()).decode(),
        "query": request.url.query,
        "root_path": request.scope["root_path"],
        "client": request.client,
    }


@app.route("asgi/{*rest}")
async def asgi(req: func.HttpRequest, context: func.Context) -> func.HttpResponse:
    return await func.AsgiMiddleware(surface).handle_async(req, context)


@app.route("echo/{*rest}", methods=["GET", "POST", "PUT"])
def echo(req: func.HttpRequest, context: func.Context) -> func.HttpResponse:
    """Answers with everything that it was given."""
    storage = cast("Any", context.thread_local_storage)
    seen: dict[str, Any] = {
        "method": req.method,
        "url": req.url,
        "headers": dict(req.headers),
        "params": dict(req.params),
        "route_params": dict(req.route_params),
        "body": req.get_body().decode("latin-1"),
        "function_name": context.function_name,
        "function_directory": context.function_directory,
        "invocation_id": context.invocation_id,
        "thread_invocation_id": storage.invocation_id,
        "thread": threading.current_thread().name,
        "process": os.getpid(),
    }
    return func.HttpResponse(json.dumps(seen), mimetype="application/json")


@app.route("raises")
def raises(req: func.HttpRequest) -> func.HttpResponse:
    raise RuntimeError(f"told to fail by {req.method}")


@app.route("nothing")
def nothing(req: func.HttpRequest):
    """Forgets to answer; the worker would refuse an annotation that says so."""


@app.route("text")
def text(req: func.HttpRequest) -> str:
    return f"plain {req.method}"


@app.route("dictionary")
def dictionary(req: func.HttpRequest):
    return {"not": "a response"}


@app.route("headers")
def headers(req: func.HttpRequest) -> func.HttpResponse:
    """Repeats headers, and sets two cookies."""
    response = func.HttpResponse("", status_code=202, headers={"Set-Cookie": "first=1; Path=/"})
    response.headers.add("Set-Cookie", "second=2; HttpOnly")
    response.headers.add("X-Repeated", "one")
    response.headers.add("X-Repeated", "two")
    return response


@app.route("no-content")
async def no_content(req: func.HttpRequest) -> func.HttpResponse:
    return func.HttpResponse(status_code=204)


@app.route("order/{anything}")
def order_a(req: func.HttpRequest) -> str:
    return "order_a"


@app.route("order/literal")
def order_b(req: func.HttpRequest) -> str:
    return "order_b"


@app.route("order/{anything}/{more}")
def Order_Z(req: func.HttpRequest) -> str:  # noqa: N802 - the case of names must not matter
    return "Order_Z"


@app.route("order/{one}/{two}")
def order_c(req: func.HttpRequest) -> str:
    return "order_c"


@app.route("methods", methods=["GET"])
def methods_get(req: func.HttpRequest) -> str:
    return "methods_get"


@app.route("{word}", methods=["POST"])
def methods_post(req: func.HttpRequest) -> str:
    return f"methods_post {req.route_params['word']}"


@app.route("items/{number:int}")
def items_by_number(req: func.HttpRequest) -> str:
    return f"number {req.route_params['number']}"


@app.route("items/{key:guid}")
def items_by_key(req: func.HttpRequest) -> str:
    return f"key {req.route_params['key']}"


@app.route("pages/{number?}")
def pages(req: func.HttpRequest) -> str:
    return f"page {req.route_params.get('number', 'none')}"


@app.route("admin/tools")
def refused_admin(req: func.HttpRequest) -> str:
    return "never served"


@app.route("%SAMPLE_ROUTE%")
def route_by_setting(req: func.HttpRequest) -> str:
    return "route_by_setting"


@app.route("%SAMPLE_UNSET%")
def route_not_set(req: func.HttpRequest) -> str:
    return "never served"


@app.route("switched-off")
def switched_off(req: func.HttpRequest) -> str:
    return "never served"


@app.route("setting/{name}")
def setting(req: func.HttpRequest) -> str:
    return os.environ.get(req.route_params["name"], "unset")
