"""Settings of notifications: who is told of what, how often, and when not."""

import re
from datetime import time
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, field_validator, model_validator

from edge.duration import parse_duration
from service.part import Duration, Part, TimeZone


def _target_name(text: str) -> str:
    if not re.fullmatch(r"[\w-]+", text):
        raise ValueError(f"expected a name of letters, digits, '-' and '_', got {text!r}")
    return text


def _clock(text: str) -> str:
    try:
        time.fromisoformat(text)
    except ValueError as error:
        raise ValueError(f"expected a time of day such as '22:00', got {text!r}") from error
    return text


TargetName = Annotated[str, AfterValidator(_target_name)]
Clock = Annotated[str, AfterValidator(_clock)]


class QuietSettings(Part):
    """Hours of each day in which nobody is told, on the clock of a time zone."""

    begin: Clock
    end: Clock
    critical: bool = True  #: what is critical passes

    @field_validator("begin", "end", mode="before")
    @classmethod
    def _is_text(cls, raw: object) -> object:
        if isinstance(raw, int):  # YAML 1.1 reads 22:00 as a number to the base of 60
            return f"{raw // 60:02}:{raw % 60:02}"
        return raw

    @model_validator(mode="after")
    def _is_some_time(self) -> Self:
        if time.fromisoformat(self.begin) == time.fromisoformat(self.end):
            raise ValueError(f"expected begin and end that differ, got {self.begin!r} twice")
        return self


class NotificationSettings(Part):
    """Receivers that are told the same, by URLs of Apprise, which are secrets."""

    urls_file: Path | None = None  #: a URL a line
    urls_variable: str | None = Field(default=None, min_length=1)  #: of the environment, with URLs between spaces
    least_severity: Literal["minor", "major", "critical"] = "minor"
    updates: frozenset[Literal["worse", "end"]] = frozenset()  #: also told: an incident that grows; the end of each
    most_per_hour: int = Field(default=12, ge=1)
    picture: bool = True
    time_zone: TimeZone = "UTC"  #: of quiet hours, and of times in messages
    quiet: QuietSettings | None = None
    timeout_s: float = Field(default=10, gt=0, le=300)
    give_up: Duration = "1d"
    insecure: bool = False  #: a user and a password may go to another host unencrypted

    @property
    def give_up_s(self) -> float:
        """Return after how long what is not delivered becomes a letter."""
        return parse_duration(self.give_up) / 1000

    def relative_to(self, folder: Path) -> Self:
        """Return the settings with relative paths taken from a folder."""
        return self.model_copy(update={"urls_file": self.urls_file and folder / self.urls_file})

    @model_validator(mode="after")
    def _has_urls(self) -> Self:
        if (self.urls_file is None) == (self.urls_variable is None):
            raise ValueError("expected either urls_file or urls_variable, got both or neither")
        return self
