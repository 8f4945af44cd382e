"""The history: what the database keeps of verdicts and alarms, and for how long."""

from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from edge.duration import parse_duration
from service.part import Part, check_duration

FOREVER = "forever"


def _age(text: str) -> str:
    return text if text == FOREVER else check_duration(text)


Age = Annotated[str, AfterValidator(_age)]  #: a duration, or 'forever'


class HistorySettings(Part):
    """What is kept; ages count from the newest verdict, or from now if that is earlier."""

    verdicts: Literal["all", "alarms"] = (
        "all"  #: of which slots: of all, or of anomalous ones and those within an alarm
    )
    keep: Age = "30d"  #: verdicts, which are then summed up by the hour
    keep_hourly: Age = "2y"  #: these sums
    keep_alarms: Age = FOREVER  #: alarms that have ended; those with a label stay
    most_gb: float | None = Field(default=None, gt=0)  #: of the database; beyond it the oldest go before their time


def age_ms(age: str) -> int | None:
    """Return an age in milliseconds, None for ever.

    >>> age_ms("2d"), age_ms("forever")
    (172800000, None)
    """
    return None if age == FOREVER else parse_duration(age)
