"""Sources: which topics a monitor watches, and how the payloads on them are read."""

from typing import Literal, Self, get_args

from pydantic import Field, field_validator, model_validator

from edge.errors import ConfigError
from edge.topics import Template
from service.part import Part, TimeZone

Convention = Literal[
    "number", "json", "zigbee2mqtt", "tasmota", "esphome", "homeassistant", "telegraf", "influx", "senml", "sparkplug"
]
_NAMING = ("zigbee2mqtt", "tasmota", "telegraf", "influx", "senml", "sparkplug")
#: setting -> the conventions that it is for
_FOR: dict[str, tuple[str, ...]] = {
    "value": ("json",),
    "fields": ("json", *_NAMING),
    "time": ("json",),
    "step": ("json",),
    "time_zone": ("json", "zigbee2mqtt", "tasmota", "telegraf"),
    "tags": ("telegraf", "influx"),
}
_SPARKPLUG_TYPE = 2  # level of the topic


class SourceSettings(Part):
    """Which topics are watched, and how their payloads are read."""

    broker: str = ""  #: name of the one of its topics; '' if there is only `broker`
    topic: str
    payload: Convention = "number"
    value: str | None = Field(default=None, min_length=1)  #: path of the value; 'value' if left out
    fields: dict[str, str] = Field(default_factory=dict)  #: channel -> path, or name in the message
    time: str | None = Field(default=None, min_length=1)  #: path of the reading's own time
    step: str | None = Field(default=None, min_length=1)  #: path of what is between the times of an array's values
    time_zone: TimeZone = "UTC"  #: of times that name none
    tags: tuple[str, ...] = ()  #: names of those that tell the stream

    @property
    def names_channels(self) -> bool:
        """Whether topic or payload say which channel a value is of."""
        return bool(self.fields) or self.payload in _NAMING or Template(self.topic).names_channel

    @field_validator("topic")
    @classmethod
    def _is_template(cls, text: str) -> str:
        try:
            Template(text)
        except ConfigError as error:
            raise ValueError(str(error).removeprefix("topic: ")) from error
        return text

    @field_validator("fields")
    @classmethod
    def _names_are_apart(cls, fields: dict[str, str]) -> dict[str, str]:
        names = list(fields.values())
        for name in names:
            if not name or names.count(name) > 1:
                raise ValueError(f"expected of each channel a path of its own, got {name!r}")
        return fields

    @model_validator(mode="after")
    def _payload_fits(self) -> Self:
        for name, conventions in _FOR.items():
            if name in self.model_fields_set and getattr(self, name) and self.payload not in conventions:
                known = ", ".join(conventions)
                raise ValueError(f"expected {name} only with payload: {known}, got it with payload: {self.payload}")
        if self.fields and self.value:
            raise ValueError("expected either value or fields, got both")
        if self.step and not self.time:
            raise ValueError("expected a time beside step, got none")
        if Template(self.topic).names_channel and (self.fields or self.payload in _NAMING):
            raise ValueError("expected the channels either in the topic as {channel} or in the payload, got both")
        levels = self.topic.split("/")
        if self.payload == "sparkplug" and not "".join(levels[_SPARKPLUG_TYPE : _SPARKPLUG_TYPE + 1]).startswith("{_"):
            raise ValueError(
                "expected a topic such as spBv1.0/{group}/{_type}/{node}/{device...}, as births are needed "
                f"beside data, got {self.topic!r}"
            )
        return self


CONVENTIONS: tuple[str, ...] = get_args(Convention)
