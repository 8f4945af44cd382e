"""The settings of a device: its configuration file, read once and typed."""

import re
import socket
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from edge.agent.bundles import check_reference
from edge.alarm import AlarmPolicy
from edge.brokers.broker import usual_port
from edge.brokers.settings import BrokerSettings
from edge.configuration import build, read_configuration
from edge.duration import parse_duration
from edge.errors import ConfigError
from edge.limits import Budget
from edge.sources.address import Address
from edge.topics import Template, may_be_ours, overlap
from edge.updates.settings import UpdateSettings, check_name

Payload = Literal["number", "json"]

_NAME = re.compile(r"[\w.-]+")


@dataclass(frozen=True, slots=True)
class MonitorSettings:
    """What is watched with one bundle: where its readings come from, and when there is an alarm."""

    bundle: str
    topic: str = ""  #: MQTT topics, such as plant/{device}/{channel}
    source: str = ""  #: or another source: stdin, file:PATH, serial:PATH, MODULE:FUNCTION
    broker: str = ""  #: name of the one of its topics; '' if there is only `broker`
    payload: Payload | None = None  #: how messages or lines are read; a function's values need no reading
    value: str | None = None  #: path of the value in a JSON message; `value` if left out
    fields: Mapping[str, str] = field(default_factory=dict)  #: channel -> path
    time: str | None = None  #: path of the reading's own time
    time_zone: str = "UTC"  #: of times that name none
    stream: str = ""  #: name of the stream, where no topic tells it; '': the monitor's
    every: str = ""  #: how often a function is called; '': each interval of the bundle
    baud: int = 9600  #: of a serial line
    budget: str | None = None
    alarm: AlarmPolicy = field(default_factory=AlarmPolicy)
    lateness_s: float = 0.0  #: readings that come later than newer ones are waited for
    max_streams: int = 100

    def __post_init__(self) -> None:
        check_reference(self.bundle)
        if bool(self.topic) == bool(self.source):
            raise ConfigError("expected either topic or source, got both or neither")
        address = Address.parse(self.source) if self.source else None
        names = Template(self.topic) if self.topic else None
        if address is not None and (misplaced := self._misplaced(address)):
            raise ConfigError(misplaced)
        if self.payload != "json" and (self.value or self.fields or self.time):
            raise ConfigError("expected value, fields and time only with payload: json, got them without")
        if self.value and self.fields:
            raise ConfigError("expected either value or fields, got both")
        if names is not None and names.names_channel and self.fields:
            raise ConfigError("expected the channels either in the topic as {channel} or in fields, got both")
        if self.every:
            _duration("every", self.every)
        if self.budget is not None:
            Budget.parse(self.budget)
        if not 0 <= self.lateness_s <= 86_400:
            raise ConfigError(f"lateness_s: expected 0 to 86400 seconds, got {self.lateness_s:g}")
        if self.max_streams < 1:
            raise ConfigError(f"max_streams: expected at least 1, got {self.max_streams}")
        try:
            ZoneInfo(self.time_zone)
        except (ZoneInfoNotFoundError, ValueError, OSError) as error:
            got = f"expected a time zone such as 'Europe/Rome', got {self.time_zone!r}"
            raise ConfigError(f"time_zone: {got}") from error

    def _misplaced(self, address: Address) -> str:
        """Return what is wrong with settings that are not for this kind of source, '' if nothing is."""
        if self.broker:
            return "expected broker only beside a topic, got it beside a source"
        if address.kind == "function" and self.payload:
            return "expected payload only where bytes are read, got it beside a function"
        if address.kind != "function" and self.every:
            return f"expected every only beside a function, got it beside {self.source}"
        return ""


@dataclass(frozen=True, slots=True)
class PublishSettings:
    """What the device tells, and whom."""

    broker: str = ""  #: name of the one that alarms and verdicts go to; '' if there is only `broker`
    prefix: str = "foresense"
    verdicts: bool = True

    def __post_init__(self) -> None:
        text = self.prefix
        if not text or any(sign in text for sign in "+#") or not text.isprintable() or text.strip("/") != text:
            raise ConfigError(
                f"prefix: expected levels of a topic without '+', '#' and a '/' at the ends, got {text!r}"
            )


@dataclass(frozen=True, slots=True)
class Settings:
    """The whole configuration file."""

    monitors: Mapping[str, MonitorSettings]
    device: str = ""  #: name of this device; '': the host's
    broker: BrokerSettings | None = None
    brokers: Mapping[str, BrokerSettings] = field(default_factory=dict)  #: several, in place of `broker`
    bundles: Path = Path("bundles")
    database: Path = Path("foresense-edge.db")
    runtime: str | None = None  #: None: the one that is installed
    publish: PublishSettings = PublishSettings()
    updates: UpdateSettings | None = None  #: None: bundles need no signature, and are changed by hand
    write_every: str = "1min"  #: how long what was read may wait to be written
    unacknowledged: int = 20  #: messages of a broker that may wait for that; no more than it lets wait
    outbox_mb: int = 32  #: that may wait for the broker before verdicts are dropped

    def __post_init__(self) -> None:
        device = self.device or socket.gethostname()
        if not _NAME.fullmatch(device):
            raise ConfigError(f"device: expected a name of letters, digits, '.', '-' and '_', got {device!r}")
        if self.updates is not None:
            check_name("device", device)
        if not self.monitors:
            raise ConfigError("monitors: expected at least one, got none")
        if self.broker is not None and self.brokers:
            raise ConfigError("expected either broker or brokers, got both")
        for name in (*self.brokers, *self.monitors):
            if not _NAME.fullmatch(name):
                raise ConfigError(f"expected names of letters, digits, '.', '-' and '_', got {name!r}")
        _duration("write_every", self.write_every)
        for what, least in (("unacknowledged", 1), ("outbox_mb", 1)):
            if (got := getattr(self, what)) < least:
                raise ConfigError(f"{what}: expected at least {least}, got {got}")
        self._check_brokers()
        self._check_topics()

    @property
    def name(self) -> str:
        """Return the name of this device."""
        return self.device or socket.gethostname()

    @property
    def connections(self) -> dict[str, BrokerSettings]:
        """Return the brokers by name, ready to be connected to; the only one, of the short form, is named ''."""
        given = self.brokers or {"": self.broker or BrokerSettings()}
        return {name: self._complete(each) for name, each in given.items()}

    @property
    def write_every_s(self) -> float:
        """Return how long what was read may wait to be written."""
        return parse_duration(self.write_every) / 1000

    def _complete(self, broker: BrokerSettings) -> BrokerSettings:
        port = broker.port or usual_port(broker.transport, broker.tls is not None)
        path = broker.path or ("/mqtt" if broker.transport == "websockets" else "")
        return replace(broker, port=port, path=path, client_id=broker.client_id or f"foresense-{self.name}"[:64])

    def _check_brokers(self) -> None:
        named = {f"monitors.{name}.broker": each.broker for name, each in self.monitors.items() if each.topic}
        known = ", ".join(self.brokers) or "no names without `brokers`"
        for place, name in (named | {"publish.broker": self.publish.broker}).items():
            if name not in self.connections:
                raise ConfigError(f"{place}: expected one of brokers ({known}), got {name or 'none'}")
        seen: dict[tuple[str, int, str], str] = {}
        for name, each in self.connections.items():
            if (other := seen.setdefault((each.host, each.port, each.client_id), name)) != name:
                raise ConfigError(f"brokers.{name}: expected another host, port or client_id than that of {other}")

    def _check_topics(self) -> None:
        filters = {
            name: (each.broker, Template(each.topic).filter) for name, each in self.monitors.items() if each.topic
        }
        own = f"{self.publish.prefix}/#"
        for i, (name, (broker, one)) in enumerate(filters.items()):
            place = f"monitors.{name}.topic"
            if may_be_ours(one, self.publish.prefix):
                raise ConfigError(
                    f"{place}: expected topics other than our own {own}, got {one}; change publish.prefix"
                )
            for other_name, (others, other) in list(filters.items())[:i]:
                if broker == others and overlap(one, other):
                    raise ConfigError(
                        f"{place}: expected topics of no other monitor, got {one}, which overlaps with {other} "
                        f"of {other_name}"
                    )


def read_settings(path: Path) -> Settings:
    """Read a device's configuration file; ConfigError has a line for each mistake in it."""
    return build(Settings, read_configuration(path), path)


def _duration(setting: str, text: str) -> None:
    try:
        parse_duration(text)
    except ConfigError as error:
        raise ConfigError(f"{setting}: {str(error).removeprefix('interval: ')}") from error
