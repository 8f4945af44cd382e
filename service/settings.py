"""Settings: the configuration file, read once and typed."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Self

from pydantic import AfterValidator, Field, field_validator, model_validator

from edge.agent.bundles import check_reference
from edge.alarm import AlarmPolicy, Direction, LevelRule
from edge.duration import parse_duration
from edge.errors import ConfigError
from edge.limits import Budget
from edge.topics import Template, may_be_ours, overlap
from service.alarms.maintenance import MaintenanceSettings
from service.api.settings import HttpSettings
from service.brokers.broker import BrokerSettings
from service.homeassistant.settings import HomeAssistantSettings, devices_topic
from service.notifications.settings import NotificationSettings, TargetName
from service.operation.health import MetricsSettings
from service.part import ByChannel, Duration, Part
from service.pipeline.source import SourceSettings
from service.relays.sinks import SinkName, SinkSettings
from service.storage.history import HistorySettings


def _plain_name(text: str) -> str:
    if not text or any(sign in text for sign in "+#") or not text.isprintable() or text.strip("/") != text:
        raise ValueError(f"expected levels of a topic without '+', '#' and a '/' at the ends, got {text!r}")
    return text


def _broker_name(text: str) -> str:
    if not re.fullmatch(r"[\w-]+", text):
        raise ValueError(f"expected a name of letters, digits, '-' and '_', got {text!r}")
    return text


BrokerName = Annotated[str, AfterValidator(_broker_name)]


def _bundle_reference(text: str) -> str:
    try:
        check_reference(text)
    except ConfigError as error:
        raise ValueError(str(error).removeprefix("bundle: ")) from error
    return text


class PublishSettings(Part):
    """What the service tells the brokers."""

    broker: str = ""  #: name of the one that alarms and verdicts go to; '': that of their monitor
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


class MonitorSettings(SourceSettings):
    """Which topics are watched, how their payloads are read, and with which bundle."""

    bundle: Annotated[str, AfterValidator(_bundle_reference)]
    budget: str | None = None
    alarm: AlarmSettings = AlarmSettings()
    maintenance: tuple[MaintenanceSettings, ...] = ()
    site: Annotated[str, AfterValidator(_plain_name)] = "plant"
    max_streams: int = Field(default=10_000, ge=1)
    channels: dict[str, ChannelSettings] = Field(default_factory=dict)
    lateness_s: float = Field(default=0, ge=0, le=86_400)  #: readings that come later than newer ones are waited for
    home_assistant: bool = True  #: its streams are announced, if `home_assistant` is enabled

    def relative_to(self, folder: Path) -> Self:
        """Return the settings with relative paths taken from a folder."""
        return self.model_copy(update={"maintenance": tuple(each.relative_to(folder) for each in self.maintenance)})

    @field_validator("budget")
    @classmethod
    def _is_budget(cls, text: str | None) -> str | None:
        try:
            return text if text is None else str(Budget.parse(text))
        except ConfigError as error:
            raise ValueError(str(error).removeprefix("budget: ")) from error


class Settings(Part):
    """The whole configuration file."""

    broker: BrokerSettings = BrokerSettings()
    brokers: dict[BrokerName, BrokerSettings] = Field(default_factory=dict)  #: several, in place of `broker`
    database: Path = Path("foresense.db")
    ballast_mb: int = Field(default=64, ge=0)  #: of a file beside the database that is given up when the disk is full
    bundles: Path = Path("bundles")
    publish: PublishSettings = PublishSettings()
    history: HistorySettings = HistorySettings()
    maintenance: tuple[MaintenanceSettings, ...] = ()  #: of all monitors
    incident: IncidentSettings | None = IncidentSettings()  #: None: no incidents
    metrics: MetricsSettings | None = None  #: None: nothing listens
    http: HttpSettings | None = None  #: None: neither dashboard nor API
    sinks: dict[SinkName, SinkSettings] = Field(default_factory=dict)
    home_assistant: HomeAssistantSettings = HomeAssistantSettings()
    notifications: dict[TargetName, NotificationSettings] = Field(default_factory=dict)
    monitors: dict[str, MonitorSettings] = Field(min_length=1)

    @field_validator("incident", mode="before")
    @classmethod
    def _may_be_off(cls, raw: Any) -> Any:
        return None if raw is False else raw

    @property
    def connections(self) -> dict[str, BrokerSettings]:
        """Return the brokers by name; the only one, of the short form, is named ''."""
        return self.brokers or {"": self.broker}

    @property
    def home_assistant_broker(self) -> str:
        """Return the name of the broker that streams are announced at."""
        return self.home_assistant.broker or next(iter(self.connections))

    def publishes_to(self, monitor: str) -> str:
        """Return the name of the broker that a monitor's alarms and verdicts go to."""
        return self.publish.broker or self.monitors[monitor].broker

    def relative_to(self, folder: Path) -> Self:
        """Return the settings with relative paths taken from a folder."""
        update: dict[str, Any] = {
            "database": folder / self.database,
            "bundles": folder / self.bundles,
            "broker": self.broker.relative_to(folder),
            "brokers": {name: broker.relative_to(folder) for name, broker in self.brokers.items()},
            "maintenance": tuple(each.relative_to(folder) for each in self.maintenance),
            "http": self.http and self.http.relative_to(folder),
            "sinks": {name: sink.relative_to(folder) for name, sink in self.sinks.items()},
            "notifications": {name: each.relative_to(folder) for name, each in self.notifications.items()},
            "monitors": {name: monitor.relative_to(folder) for name, monitor in self.monitors.items()},
        }
        return self.model_copy(update=update)

    @model_validator(mode="after")
    def _brokers_are_named(self) -> Self:
        if self.brokers and "broker" in self.model_fields_set:
            raise ValueError("expected either broker or brokers, got both")
        known = ", ".join(self.brokers) or "no names without `brokers`"
        named = {f"monitors.{name}.broker": monitor.broker for name, monitor in self.monitors.items()}
        may_be_none = {"publish.broker": self.publish.broker}
        (named if self.home_assistant.enabled else may_be_none)["home_assistant.broker"] = self.home_assistant.broker
        for place, name in (named | may_be_none).items():
            if name not in ({*self.brokers, ""} if place in may_be_none else self.connections):
                raise ValueError(f"{place}: expected one of brokers ({known}), got {name or 'none'}")
        if unused := set(self.brokers) - {*named.values(), *may_be_none.values()}:
            raise ValueError(f"brokers.{min(unused)}: expected a monitor or publish to name it, got none that does")
        return self

    @model_validator(mode="after")
    def _sessions_are_apart(self) -> Self:
        seen: dict[tuple[str, int, str], str] = {}
        for name, broker in self.brokers.items():
            other = seen.setdefault((broker.host, broker.port, broker.client_id), name)
            if other != name:
                raise ValueError(
                    f"brokers.{name}: expected another host, port or client_id than that of {other}, got the same: "
                    "they would take each other's session over"
                )
        return self

    @model_validator(mode="after")
    def _topics_are_apart(self) -> Self:
        own = f"{self.publish.prefix}/#"
        filters = {name: (monitor.broker, Template(monitor.topic).filter) for name, monitor in self.monitors.items()}
        for i, (name, (broker, one)) in enumerate(filters.items()):
            if may_be_ours(one, self.publish.prefix):
                raise ValueError(
                    f"monitors.{name}.topic: expected topics other than the service's own {own}, got {one}; "
                    "change it, or publish.prefix"
                )
            for other_name, (others, other) in list(filters.items())[:i]:
                if broker == others and overlap(one, other):
                    raise ValueError(
                        f"monitors.{name}.topic: expected topics of no other monitor, "
                        f"got {one}, which overlaps with {other} of {other_name}"
                    )
        return self

    @model_validator(mode="after")
    def _home_assistant_is_apart(self) -> Self:
        if not self.home_assistant.enabled:
            return self
        own = (f"{self.home_assistant.prefix}/device/+/config", f"{devices_topic(self.publish.prefix)}/+/+")
        for name, monitor in self.monitors.items():
            if monitor.broker != self.home_assistant_broker:
                continue
            for ours in own:
                if overlap(one := Template(monitor.topic).filter, ours):
                    raise ValueError(
                        f"monitors.{name}.topic: expected topics other than those of home_assistant, {ours}, got {one}"
                    )
        return self
