"""The converters that the language worker uses, found as it finds them."""

from typing import Any, Protocol, cast

import azure.functions as func
from azure.functions.meta import Datum
from azurefunctions.extensions import base as sdk_types


class Converter(Protocol):
    """What `azure.functions.meta.InConverter` and `OutConverter` share with the SDK types."""

    def check_input_type_annotation(self, pytype: type) -> bool: ...
    def check_output_type_annotation(self, pytype: type) -> bool: ...
    def decode(self, data: Any, *, trigger_metadata: Any) -> Any: ...
    def encode(self, obj: Any, *, expected_type: type | None) -> Datum: ...


class _Verbatim:
    """For bindings that the library does not know, and for `str` and `bytes` arguments."""

    def check_input_type_annotation(self, pytype: type) -> bool:
        return issubclass(pytype, (str, bytes))

    def check_output_type_annotation(self, pytype: type) -> bool:
        return issubclass(pytype, (str, bytes, bytearray))

    def decode(self, data: Datum, *, trigger_metadata: Any) -> Any:  # noqa: ARG002 - a protocol
        if data.type not in {"string", "bytes", "json"}:
            raise ValueError(f"unexpected type of data received: {data.type!r}")
        return data.value

    def encode(self, obj: Any, *, expected_type: type | None) -> Datum:  # noqa: ARG002 - a protocol
        if isinstance(obj, str):
            return Datum(obj, "string")
        if isinstance(obj, bytes | bytearray):
            return Datum(bytes(obj), "bytes")
        raise NotImplementedError


_VERBATIM = _Verbatim()


def is_sdk_type(annotation: Any) -> bool:
    """Whether the argument wants a client of the Azure SDK rather than content."""
    registry = cast("Any", sdk_types.get_binding_registry())
    return bool(registry.check_supported_type(annotation))


def converter(binding_type: str, annotation: Any) -> Converter:
    """The converter for one argument, or one output, of a function."""
    if annotation in (str, bytes):
        return _VERBATIM
    registry = sdk_types if is_sdk_type(annotation) else func
    found = cast("Any", registry).get_binding_registry().get(binding_type)
    return found or _VERBATIM


def result_converter(binding_type: str) -> Converter:
    """The converter for what a function returns; unlike arguments, texts are no exception."""
    return cast("Any", func).get_binding_registry().get(binding_type) or _VERBATIM
