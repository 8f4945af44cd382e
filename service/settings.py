"""Settings: the configuration file, read once and typed."""

import ipaddress
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, Field, SecretStr, field_validator, model_validator

from edge.alarm import AlarmPolicy, Direction, LevelRule
from edge.duration import parse_duration
from edge.errors import ConfigError
from edge.limits import Budget
from edge.secret import read_secret
from service.maintenance import MaintenanceSettings
from service.part import ByChannel, Duration, Part
from service.topics import Template, overlap


def _plain_name(text: str) -> str:
    if not text or any(sign in text for sign in "+#") or not text.isprintable() or text.strip("/") != text:
        raise ValueError(f"expected levels of a topic without '+', '#' and a '/' at the ends, got {text!r}")
    return text


def _bundle_reference(text: str) -> str:
    name, _, version = text.partition("/")
    if {name, version} & {".", ".."} or not name or "/" in version or (version == "" and "/" in text):
        raise ValueError(f"expected NAME or NAME/VERSION, got {text!r}")
    return text


class BrokerSettings(Part):
    """How to reach the MQTT broker."""

    host: str = Field(default="localhost", min_length=1)
    port: int = Field(default=1883, ge=1, le=65535)
    protocol: Literal[5, "3.1.1"] = 5
    client_id: str = Field(default="foresense", min_length=1, max_length=64)
    keepalive: int = Field(default=30, ge=5, le=3600)  #: seconds
    username: str | None = None
    password_file: Path | None = None

    @property
    def is_loopback(self) -> bool:
        """Whether what is sent to the broker stays on this machine."""
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return self.host == "localhost"

    def read_password(self) -> SecretStr | None:
        """Return the password, the first line of its file; ConfigError if that cannot be read."""
        if self.password_file is None:
            return None
        return SecretStr(read_secret(self.password_file))

    @model_validator(mode="after")
    def _keep_the_password_secret(self) -> Self:
        if self.password_file is not None and self.username is None:
            raise ValueError("expected a username beside password_file, got none")
        if self.password_file is not None and not self.is_loopback:
            raise ValueError(
                "expected a broker on this host (localhost), as a password would cross the network unencrypted, "
                f"got {self.host!r}"
            )
        return self


class PublishSettings(Part):
    """What the service tells the broker."""

    prefix: Annotated[str, AfterValidator(_plain_name)] = "foresense"
    verdicts: bool = True


class AlarmSettings(Part):
    """When an alarm opens and closes, which deviations count, and what becomes of a new level; durations in slots."""

    k: int = 1
    n: int = 1
    recovery: int = 6
    cool_down: int = 12
    release: float = 0.85
    rest: int = 0
    direction: Annotated[Direction | Mapping[str, Direction], ByChannel] = "both"
    least_absolute: Annotated[float | Mapping[str, float], ByChannel] = 0.0
    least_relative: Annotated[float | Mapping[str, float], ByChannel] = 0.0
    level: LevelRule = "confirm"
    level_after: int = 100

    def policy(self) -> AlarmPolicy:
        """Return the engine's policy; ConfigError if the numbers do not fit each other."""
        return AlarmPolicy(**dict(self))

    @model_validator(mode="after")
    def _fits(self) -> Self:
        try:
            self.policy()
        except ConfigError as error:
            raise ValueError(str(error).removeprefix("alarm: ")) from error
        return self


class IncidentSettings(Part):
    """When the alarms of a site are one incident: those of so many streams, within so long."""

    streams: int = Field(default=3, ge=2)
    within: Duration = "5min"

    @property
    def within_ms(self) -> int:
        """Return how far apart the alarms may begin."""
        return parse_duration(self.within)


class ChannelSettings(Part):
    """What a monitor's sensor sends, where that is not what the bundle expects."""

    unit: str = Field(min_length=1)  #: such as m3/h; values are converted to the bundle's unit


class MonitorSettings(Part):
    """Which topics are watched, how their payloads are read, and with which bundle."""

    topic: str
    payload: Literal["number", "json"] = "number"
    value: str | None = Field(default=None, min_length=1)  #: json: path of the value; 'value' if left out
    fields: dict[str, str] = Field(default_factory=dict)  #: json of several channels: channel -> path
    time: str | None = Field(default=None, min_length=1)  #: json: path of the reading's own time
    bundle: Annotated[str, AfterValidator(_bundle_reference)]
    budget: str | None = None
    alarm: AlarmSettings = AlarmSettings()
    maintenance: tuple[MaintenanceSettings, ...] = ()
    site: Annotated[str, AfterValidator(_plain_name)] = "plant"
    max_streams: int = Field(default=10_000, ge=1)
    channels: dict[str, ChannelSettings] = Field(default_factory=dict)
    lateness_s: float = Field(default=0, ge=0, le=86_400)  #: readings that come later than newer ones are waited for

    def relative_to(self, folder: Path) -> Self:
        """Return the settings with relative paths taken from a folder."""
        return self.model_copy(update={"maintenance": tuple(each.relative_to(folder) for each in self.maintenance)})

    @field_validator("topic")
    @classmethod
    def _is_template(cls, text: str) -> str:
        try:
            Template(text)
        except ConfigError as error:
            raise ValueError(str(error).removeprefix("topic: ")) from error
        return text

    @field_validator("budget")
    @classmethod
    def _is_budget(cls, text: str | None) -> str | None:
        try:
            return text if text is None else str(Budget.parse(text))
        except ConfigError as error:
            raise ValueError(str(error).removeprefix("budget: ")) from error

    @model_validator(mode="after")
    def _payload_fits(self) -> Self:
        given = [name for name in ("value", "fields", "time") if getattr(self, name)]
        if self.payload == "number" and given:
            raise ValueError(f"expected {given[0]} only with payload: json, got it with payload: number")
        if self.fields and self.value:
            raise ValueError("expected either value or fields, got both")
        if self.fields and Template(self.topic).names_channel:
            raise ValueError("expected the channels either in the topic as {channel} or in fields, got both")
        return self


class Settings(Part):
    """The whole configuration file."""

    broker: BrokerSettings = BrokerSettings()
    database: Path = Path("foresense.db")
    bundles: Path = Path("bundles")
    publish: PublishSettings = PublishSettings()
    maintenance: tuple[MaintenanceSettings, ...] = ()  #: of all monitors
    incident: IncidentSettings | None = IncidentSettings()  #: None: no incidents
    monitors: dict[str, MonitorSettings] = Field(min_length=1)

    @field_validator("incident", mode="before")
    @classmethod
    def _may_be_off(cls, raw: Any) -> Any:
        return None if raw is False else raw

    def relative_to(self, folder: Path) -> Self:
        """Return the settings with relative paths taken from a folder."""
        password_file = self.broker.password_file
        broker = self.broker.model_copy(update={"password_file": password_file and folder / password_file})
        update: dict[str, Any] = {
            "database": folder / self.database,
            "bundles": folder / self.bundles,
            "broker": broker,
            "maintenance": tuple(each.relative_to(folder) for each in self.maintenance),
            "monitors": {name: monitor.relative_to(folder) for name, monitor in self.monitors.items()},
        }
        return self.model_copy(update=update)

    @model_validator(mode="after")
    def _topics_are_apart(self) -> Self:
        own = f"{self.publish.prefix}/#"
        filters = {name: Template(monitor.topic).filter for name, monitor in self.monitors.items()}
        for i, (name, one) in enumerate(filters.items()):
            if overlap(one, own):
                raise ValueError(
                    f"monitors.{name}.topic: expected topics other than the service's own {own}, got {one}; "
                    "change it, or publish.prefix"
                )
            for other_name, other in list(filters.items())[:i]:
                if overlap(one, other):
                    raise ValueError(
                        f"monitors.{name}.topic: expected topics of no other monitor, "
                        f"got {one}, which overlaps with {other} of {other_name}"
                    )
        return self
