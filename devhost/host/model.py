"""What the dev host knows of a function, and how its listeners run one."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Protocol


@dataclass(frozen=True)
class Binding:
    """One binding of a function, with every `%Setting%` in it already resolved."""

    type: str
    name: str
    direction: str
    properties: Mapping[str, Any]


@dataclass(frozen=True)
class RetryPolicy:
    """How often and how soon a failed timer run is repeated.

    `max_retry_count` -1 means for ever. A fixed delay has equal `minimum` and `maximum`.
    """

    max_retry_count: int
    minimum: timedelta
    maximum: timedelta

    def allows(self, retry_count: int) -> bool:
        """Whether another run may follow after `retry_count` retries have failed."""
        return self.max_retry_count == -1 or retry_count < self.max_retry_count

    def delay(self, retry_count: int) -> timedelta:
        """How long to wait before the retry that follows `retry_count` earlier ones."""
        doublings = min(retry_count, 32)  # far past any maximum, and no overflow
        return min(self.maximum, self.minimum * 2**doublings)


@dataclass(frozen=True)
class FunctionSpec:
    """A function as the `azure-functions` library describes it to the language worker."""

    name: str
    trigger: Binding
    outputs: tuple[Binding, ...]
    callable: Callable[..., Any]
    is_async: bool
    argument_types: Mapping[str, Any]
    """Annotation of every argument by its name, `context` included; None where there is none."""
    directory: str = ""
    """Folder of the file that defines the function, as its context tells it."""
    retry: RetryPolicy | None = None
    """Only ever set on timers: the invoker repeats their failed runs by it."""


@dataclass(frozen=True)
class ModelBindingData:
    """What an SDK-type binding gets instead of content: a reference, as JSON in `content`.

    For blobs the content is `{"Connection": ..., "ContainerName": ..., "BlobName": ...}`, where
    the connection is the name of a setting.
    """

    content: bytes
    version: str = "1.0"
    source: str = "AzureStorageBlobs"
    content_type: str = "application/json"


@dataclass(frozen=True)
class TriggerInput:
    """The trigger's payload as the host hands it to the worker.

    `kind` and `value` become an `azure.functions.meta.Datum` (`string`, `bytes`, `json`, `http`)
    or, for SDK-type bindings, an `azurefunctions.extensions.base.Datum` of type
    `model_binding_data` whose value is a `ModelBindingData`. `metadata` is the trigger metadata:
    plain Python values that the invoker encodes as JSON data, as the real host does.
    """

    kind: str
    value: Any
    metadata: Mapping[str, Any] = field(default_factory=dict[str, Any])


@dataclass(frozen=True)
class InvocationResult:
    """How a run ended. `error` is what the function raised, else None.

    `returned` is the encoded return value (an `azure.functions.meta.Datum`) of a function that
    answers HTTP, else None.
    """

    returned: Any = None
    error: BaseException | None = None

    @property
    def succeeded(self) -> bool:
        return self.error is None


class Invoker(Protocol):
    """Runs one function: builds its genuine inputs, calls it, sends its output bindings."""

    async def invoke(self, function: FunctionSpec, trigger: TriggerInput) -> InvocationResult: ...
