"""Settings of Home Assistant: whether and where streams are announced to it."""

from typing import Annotated

from pydantic import AfterValidator, Field

from edge.duration import parse_duration
from service.part import Duration, Part


def _levels(text: str) -> str:
    if not text.isprintable() or any(sign in text for sign in "+#") or not all(text.split("/")):
        raise ValueError(f"expected levels of a topic without '+' and '#', got {text!r}")
    return text


Levels = Annotated[str, AfterValidator(_levels)]


class HomeAssistantSettings(Part):
    """Whether streams are announced to Home Assistant, at which broker, and how often it is told of them."""

    enabled: bool = False
    broker: str = ""  #: name of the one that Home Assistant is connected to; '': the only one
    prefix: Levels = "homeassistant"  #: its discovery prefix
    birth_topic: Levels = "homeassistant/status"  #: where it says that it is there
    every_s: float = Field(default=30, ge=1, le=3600)  #: score and expected values of a stream at most so often
    mute: Duration = "8h"  #: how long its switch mutes a stream

    @property
    def mute_ms(self) -> int:
        """Return how long the switch mutes."""
        return parse_duration(self.mute)


def devices_topic(prefix: str) -> str:
    """Return the topic that all devices' own are beneath."""
    return f"{prefix}/service/homeassistant"
