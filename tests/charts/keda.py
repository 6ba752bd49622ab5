"""KEDA's own kinds, as far as the chart uses them: whatever else stands in one is refused.

Written down from the CRDs and the azure-queue scaler of KEDA 2.20.2, for no registry of packages
has schemas of it that would find a misspelt name.
"""

from typing import Annotated, Any, Literal, TypeAlias

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter
from pydantic.alias_generators import to_camel


class _Strict(BaseModel):
    model_config = ConfigDict(
        extra="forbid", strict=True, frozen=True, alias_generator=to_camel, populate_by_name=True
    )


class _Name(_Strict):
    name: str


class _FromSecret(_Strict):
    parameter: Literal["connection"]
    name: str
    key: str


class _PodIdentity(_Strict):
    provider: Literal["azure-workload"]
    identity_id: Annotated[str, Field(min_length=1)]


class _Authentication(_Strict):
    pod_identity: _PodIdentity | None = None
    secret_target_ref: list[_FromSecret] | None = None


_Count = Annotated[str, Field(pattern=r"^[1-9][0-9]*$")]


class _QueueMetadata(_Strict):
    """Texts, all of them; without a connection the scaler wants the name of the account."""

    queue_name: str
    queue_length: _Count
    account_name: Annotated[str | None, Field(min_length=3)] = None
    cloud: Literal["AzurePublicCloud", "AzureUSGovernmentCloud", "AzureChinaCloud"] | None = None


class _Trigger(_Strict):
    type: Literal["azure-queue"]
    metadata: _QueueMetadata
    authentication_ref: _Name


class _Scaling(_Strict):
    scale_target_ref: _Name
    polling_interval: Annotated[int, Field(ge=1)]
    cooldown_period: Annotated[int, Field(ge=0)]
    min_replica_count: Annotated[int, Field(ge=0)]
    max_replica_count: Annotated[int, Field(ge=1)]
    triggers: Annotated[list[_Trigger], Field(min_length=1)]


class _Object(_Strict):
    api_version: Literal["keda.sh/v1alpha1"]
    metadata: dict[str, Any]


class TriggerAuthentication(_Object):
    """How the scalers are let in."""

    kind: Literal["TriggerAuthentication"]
    spec: _Authentication


class ScaledObject(_Object):
    """What scales a deployment by the length of a queue."""

    kind: Literal["ScaledObject"]
    spec: _Scaling


_Any: TypeAlias = Annotated[TriggerAuthentication | ScaledObject, Field(discriminator="kind")]
KEDA: TypeAdapter[TriggerAuthentication | ScaledObject] = TypeAdapter(_Any)
