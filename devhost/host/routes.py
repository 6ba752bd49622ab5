"""HTTP routes: ASP.NET route templates, matched in the order of the functions' names."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Self

from devhost.host.constraints import Constraint, parse_constraint
from devhost.host.errors import FunctionLoadError
from devhost.host.indexing import HTTP
from devhost.host.model import FunctionSpec

_RESERVED = ("admin", "runtime")
_TOKEN = re.compile(r"(?<!\{)\{(?!\{)((?:[^{}]|\{\{|\}\})+)\}|((?:[^{}]|\{\{|\}\})+)")
_PARAMETER = re.compile(
    r"(?P<star>\*{0,2})(?P<name>\w+)(?P<constraints>(?::\w+(?:\(.*?\)(?=:|=|\?|$))?)*)"
    r"(?:=(?P<default>[^?]*))?(?P<optional>\?)?",
    re.DOTALL,
)
_CONSTRAINT = re.compile(r":(\w+(?:\(.*?\)(?=:|$))?)", re.DOTALL)


@dataclass(frozen=True)
class _Parameter:
    name: str
    default: str | None
    constraints: tuple[Constraint, ...]

    def accepts(self, value: str) -> bool:
        return all(constraint(value) for constraint in self.constraints)


@dataclass(frozen=True)
class Template:
    """A parsed route template such as `items/{id:int}/{*rest}`."""

    pattern: re.Pattern[str]
    parameters: tuple[_Parameter, ...]

    @classmethod
    def parse(cls, text: str) -> Self:
        """Raises `FunctionLoadError` when the template is not valid."""
        pattern, parameters, end = "/", list[_Parameter](), 0
        for token in _TOKEN.finditer(text):
            if token.start() != end:
                break
            end = token.end()
            if token[1] is None:
                pattern += re.escape(_unescape(token[2]))
            else:
                fragment, parameter = _parse_parameter(_unescape(token[1]))
                pattern = _append(pattern, fragment)
                parameters.append(parameter)
        if end != len(text) or len({item.name.lower() for item in parameters}) != len(parameters):
            raise FunctionLoadError(f"its route is not valid: {text!r}")
        return cls(re.compile(f"{pattern}/?", re.IGNORECASE | re.DOTALL), tuple(parameters))

    def match(self, path: str) -> dict[str, str] | None:
        """The route parameters when the path, decoded, fits; else None.

        Literals match without case and a slash at the end counts for nothing.
        """
        found = self.pattern.fullmatch(path)
        if found is None:
            return None
        values: dict[str, str] = {}
        for parameter, value in zip(self.parameters, found.groups(), strict=True):
            if value and not parameter.accepts(value):
                return None
            if value or parameter.default:
                values[parameter.name] = value or str(parameter.default)
        return values


@dataclass(frozen=True)
class Route:
    """Where one HTTP function answers; no methods means all of them."""

    function: FunctionSpec
    path: str
    methods: frozenset[str]
    template: Template

    def match(self, method: str, path: str) -> dict[str, str] | None:
        """The route parameters when the request is this route's, else None."""
        if self.methods and method not in self.methods:
            return None
        return self.template.match(path)

    def conflicts(self, other: "Route") -> bool:
        """Whether the host would refuse to serve both."""
        if self.path.lower() != other.path.lower():
            return False
        return not self.methods or not other.methods or bool(self.methods & other.methods)


@dataclass(frozen=True)
class RouteTable:
    """All routes in the order in which they are tried, and the functions that were refused."""

    routes: tuple[Route, ...]
    refused: Mapping[str, str]

    def find(self, method: str, path: str) -> tuple[Route, dict[str, str]] | None:
        """The first route that takes the request: no route is preferred for being more exact."""
        for route in self.routes:
            parameters = route.match(method, path)
            if parameters is not None:
                return route, parameters
        return None


def build_routes(functions: Sequence[FunctionSpec], prefix: str) -> RouteTable:
    """Routes of the HTTP functions among `functions`, which are in the order of their names."""
    routes: list[Route] = []
    refused: dict[str, str] = {}
    for function in functions:
        if function.trigger.type != HTTP:
            continue
        try:
            routes.append(_build_route(function, prefix, routes))
        except FunctionLoadError as fault:
            refused[function.name] = str(fault)
    return RouteTable(tuple(routes), refused)


def _build_route(function: FunctionSpec, prefix: str, earlier: Sequence[Route]) -> Route:
    own = str(function.trigger.properties.get("route") or function.name).strip("/")
    if own.lower().startswith(_RESERVED):
        raise FunctionLoadError(f"its route {own!r} starts with what is kept for the host")
    path = "/".join(part for part in (prefix.strip("/"), own) if part)
    methods = frozenset(
        str(name).upper() for name in function.trigger.properties.get("methods", ())
    )
    route = Route(function, path, methods, Template.parse(path))
    clash = next((other for other in earlier if other.conflicts(route)), None)
    if clash is not None:
        raise FunctionLoadError(f"its route {own!r} is the one of {clash.function.name!r}")
    return route


def _parse_parameter(text: str) -> tuple[str, _Parameter]:
    """A group of a regular expression, `?` behind it when it may be missing, and what it means."""
    found = _PARAMETER.fullmatch(text)
    if found is None:
        raise FunctionLoadError(f"its route has an invalid parameter: {{{text}}}")
    constraints = tuple(
        parse_constraint(name) for name in _CONSTRAINT.findall(found["constraints"])
    )
    parameter = _Parameter(found["name"], found["default"], constraints)
    if found["star"]:
        return "(.*)?", parameter
    return ("([^/]+)?" if found["optional"] or found["default"] else "([^/]+)"), parameter


def _append(pattern: str, fragment: str) -> str:
    """A part that may be missing takes the slash before it along."""
    if fragment.endswith("?") and pattern.endswith("/") and pattern != "/":
        return f"{pattern.removesuffix('/')}(?:/{fragment})?"
    return pattern + fragment


def _unescape(text: str) -> str:
    return text.replace("{{", "{").replace("}}", "}")
