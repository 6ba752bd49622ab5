"""Whether a Python function fits its bindings, judged as the language worker does."""

import inspect
import typing
from collections.abc import Callable, Mapping, Sequence
from types import UnionType
from typing import Any

from devhost.host.converters import converter, result_converter
from devhost.host.errors import AppLoadError
from devhost.host.model import Binding

RETURN = "$return"
CONTEXT = "context"


def argument_types(
    name: str, function: Callable[..., Any], bindings: Sequence[Binding]
) -> dict[str, Any]:
    """The annotation of each argument, None where there is none.

    Raises `AppLoadError` for what makes the worker refuse the whole app.
    """
    annotations = _annotations(name, function)
    types = {
        argument: annotations.get(argument) for argument in inspect.signature(function).parameters
    }
    bound = {binding.name: binding for binding in bindings if binding.name != RETURN}
    _check_directions(name, bindings)
    _check_context(name, types, bound)
    _check_names(name, types, bound)
    for argument, binding in bound.items():
        if argument in annotations:
            _check_argument(name, binding, annotations[argument])
    _check_return(name, bindings, annotations)
    return types


def is_out(annotation: Any) -> bool:
    """Whether an annotation is `azure.functions.Out[...]`."""
    origin = typing.get_origin(annotation) or annotation
    return isinstance(origin, type) and origin.__name__ == "Out"


def out_type(annotation: Any) -> Any:
    """What an `Out` annotation carries; any other annotation as it is."""
    return typing.get_args(annotation)[0] if typing.get_args(annotation) else annotation


def _annotations(name: str, function: Callable[..., Any]) -> dict[str, Any]:
    try:
        return typing.get_type_hints(function)
    except (NameError, TypeError) as fault:
        raise _refused(name, f"its annotations cannot be read: {fault}") from fault


def _check_directions(name: str, bindings: Sequence[Binding]) -> None:
    for binding in bindings:
        if binding.direction == "inout":
            raise _refused(name, f'binding {binding.name!r}: "inout" is not supported')
        if binding.name == RETURN and binding.direction != "out":
            raise _refused(name, 'the "$return" binding must have the direction "out"')


def _check_context(name: str, types: Mapping[str, Any], bound: Mapping[str, Binding]) -> None:
    if CONTEXT not in types or CONTEXT in bound or types[CONTEXT] is None:
        return
    annotation = types[CONTEXT]
    if not isinstance(annotation, type) or annotation.__name__ != "Context":
        raise _refused(name, f'"context" must be azure.functions.Context, not {annotation!r}')


def _check_names(name: str, types: Mapping[str, Any], bound: Mapping[str, Binding]) -> None:
    unbound = sorted(set(types) - set(bound) - {CONTEXT})
    if unbound:
        raise _refused(name, f"arguments without a binding: {', '.join(unbound)}")
    missing = sorted(set(bound) - set(types))
    if missing:
        raise _refused(name, f"bindings without an argument: {', '.join(missing)}")


def _check_argument(name: str, binding: Binding, annotation: Any) -> None:
    if (binding.direction == "out") != is_out(annotation):
        raise _refused(
            name, f'binding {binding.name!r} is "{binding.direction}", unlike its {annotation!r}'
        )
    if not _is_type(out_type(annotation) if is_out(annotation) else annotation):
        raise _refused(name, f"argument {binding.name!r} is annotated with no type: {annotation!r}")
    if not _converts(binding, annotation):
        raise _refused(
            name, f"argument {binding.name!r}: {annotation!r} does not fit {binding.type}"
        )


def _converts(binding: Binding, annotation: Any) -> bool:
    carried = out_type(annotation) if is_out(annotation) else annotation
    found = converter(binding.type, carried)
    try:
        if is_out(annotation):
            return found.check_output_type_annotation(carried)
        return found.check_input_type_annotation(carried)
    except TypeError:  # some converters ask `issubclass` of a generic
        return False


def _check_return(name: str, bindings: Sequence[Binding], annotations: Mapping[str, Any]) -> None:
    binding = next((binding for binding in bindings if binding.name == RETURN), None)
    if binding is None or "return" not in annotations:
        return
    annotation = annotations["return"]
    if not isinstance(annotation, type) or is_out(annotation):
        raise _refused(name, f"its return annotation is not supported: {annotation!r}")
    if not result_converter(binding.type).check_output_type_annotation(annotation):
        raise _refused(name, f"its return annotation does not fit {binding.type}: {annotation!r}")


def _is_type(annotation: Any) -> bool:
    if isinstance(annotation, type):
        return True
    origin = typing.get_origin(annotation)
    return isinstance(origin, type) and origin is not UnionType


def _refused(name: str, reason: str) -> AppLoadError:
    return AppLoadError(f"function {name!r}: {reason}")
