"""What policies will do."""

from datetime import date

from pydantic import BaseModel, ConfigDict

from shared.models.artifacts import Moment
from shared.models.policies import PolicyKind
from shared.models.policy_simulations import Acted


class ForecastEntry(Acted):
    """An artifact that a stream will have due."""

    clock_at: Moment


class ForecastDay(BaseModel):
    """What a policy will act on in a day (UTC); what is due already is of the first day."""

    model_config = ConfigDict(frozen=True)

    day: date
    policy: str
    kind: PolicyKind
    artifacts: int
    bytes: int
    """Set free, or moved to a colder tier where the kind is `archive`."""


class PolicyForecast(BaseModel):
    """Part of what enabled policies will do; days of all parts are to be added up.

    Each policy is looked at by itself, and by what is registered now: what one will do changes
    nothing for another.
    """

    days: list[ForecastDay]
    looked_at: int
    next: str | None
