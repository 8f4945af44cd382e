"""A hub that follows the rules of Home Assistant: it knows only what is announced, and says what is wrong with that.

The rules are those of home-assistant.io/integrations/mqtt and of the pages of the platforms; templates are rendered by
the engine that Home Assistant uses.
"""

import json
import re
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import pytest
from jinja2 import StrictUndefined
from jinja2.sandbox import ImmutableSandboxedEnvironment
from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion

from tests.system.conftest import Broker, wait_until

_TOPIC = re.compile(r"(?P<prefix>[^/]+)/device/(?:[a-zA-Z0-9_-]+/)?(?P<object_id>[a-zA-Z0-9_-]+)/config")
_SHARED = {
    "device", "origin", "components", "availability", "availability_mode", "state_topic", "command_topic", "qos",
    "encoding",
}  # fmt: skip
_DEVICE = {
    "identifiers", "connections", "manufacturer", "model", "model_id", "name", "hw_version", "serial_number",
    "sw_version", "via_device", "suggested_area", "configuration_url",
}  # fmt: skip
_ORIGIN = {"name", "sw_version", "support_url"}
_ENTITY = {
    "platform", "unique_id", "name", "icon", "entity_category", "enabled_by_default", "json_attributes_topic",
    "json_attributes_template", "device_class", "qos",
}  # fmt: skip
_PLATFORM = {  # what a platform knows besides, and what it must have (of the shared options too)
    "sensor": (
        {"state_topic", "value_template", "unit_of_measurement", "state_class", "suggested_display_precision",
         "expire_after"}, {"state_topic"},
    ),
    "binary_sensor": ({"state_topic", "value_template", "payload_on", "payload_off", "expire_after"}, {"state_topic"}),
    "switch": (
        {"state_topic", "value_template", "command_topic", "payload_on", "payload_off", "state_on", "state_off",
         "optimistic"}, {"command_topic"},
    ),
    "button": ({"command_topic", "payload_press", "command_template"}, {"command_topic"}),
}  # fmt: skip
_CATEGORIES = {"sensor": {"diagnostic"}, "binary_sensor": {"diagnostic"}, "switch": {"config"}, "button": {"config"}}


def check_announcement(topic: str, payload: bytes) -> dict[str, Any]:
    """Return an announcement that Home Assistant takes; AssertionError says what it would not."""
    assert _TOPIC.fullmatch(topic), f"{topic}: only letters, digits, '_' and '-' may be in an id"
    told: dict[str, Any] = json.loads(payload)
    assert told.keys() <= _SHARED, told.keys() - _SHARED
    assert told["device"].keys() <= _DEVICE
    assert told["device"]["identifiers"]
    assert told["origin"].keys() <= _ORIGIN
    assert told["origin"]["name"]
    assert told["components"]
    for entity in told["components"].values():
        _check_entity(entity, told)
    for place in told["availability"]:
        _check_topic(place["topic"], wildcards=False)
    return told


def _check_entity(entity: dict[str, Any], shared: dict[str, Any]) -> None:
    known, needed = _PLATFORM[entity["platform"]]
    if entity.keys() == {"platform"}:
        return  # it is taken back
    assert entity.keys() <= known | _ENTITY, entity.keys() - known - _ENTITY
    assert needed <= {*entity, *shared}
    assert re.fullmatch(r"[\x21-\x7e]+", entity["unique_id"])
    assert entity.get("entity_category") in {None, *_CATEGORIES[entity["platform"]]}
    assert entity.get("unit_of_measurement") != ""
    for name, value in entity.items():
        if name.endswith("_topic"):
            _check_topic(value, wildcards=False)
        if name.endswith("_template"):
            assert re.fullmatch(r"\{\{ value_json\.[a-z0-9_]+( \| (tojson|default\(none\)))? \}\}", value), (
                "no name of ours in a template"
            )


def _check_topic(topic: str, wildcards: bool) -> None:
    assert topic
    assert len(topic.encode()) < 65536
    assert "\0" not in topic
    assert wildcards or not {"+", "#"} & set(topic)
    assert topic.isascii()


class Entity(NamedTuple):
    """An entity as the hub knows it."""

    device: str  #: name
    config: dict[str, Any]
    shared: dict[str, Any]

    def topic(self, name: str) -> str | None:
        value = self.config.get(name, self.shared.get(name))
        return None if value is None else str(value)


class Hub:
    """Home Assistant, as far as MQTT goes."""

    def __init__(self, broker: Broker, prefix: str) -> None:
        self._broker, self._prefix = broker, prefix
        self.status = f"{prefix}/status"
        self.announced: list[tuple[str, bytes]] = []  #: all announcements that were heard, empty ones too
        self.problems: list[str] = []  #: what Home Assistant would not have taken
        self._templates = ImmutableSandboxedEnvironment(undefined=StrictUndefined)
        self.start()

    def start(self) -> None:
        self.entities: dict[str, Entity] = {}  #: by unique id
        self._configs: dict[str, dict[str, Any]] = {}  # by topic
        self.heard: dict[str, bytes] = {}  #: the last message of each topic
        self.counts: dict[str, int] = {}
        self._client = Client(CallbackAPIVersion.VERSION2)
        self._client.will_set(self.status, b"offline")
        self._client.on_message = self._hear
        self._client.on_connect = self._connected
        self._client.connect("127.0.0.1", self._broker.port)
        self._client.loop_start()
        wait_until(self._client.is_connected, "the hub is connected")
        self._client.publish(self.status, b"online", qos=1).wait_for_publish(10)

    def stop(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()

    def restart(self) -> None:
        self.stop()
        self.start()

    def entity(self, device: str, name: str) -> Entity:
        """Return an entity, once it is announced."""

        def found() -> Entity | None:
            known = self.entities.values()
            return next((each for each in known if (each.device, each.config["name"]) == (device, name)), None)

        wait_until(lambda: found() is not None, f"{device} {name} is announced")
        entity = found()
        assert entity is not None
        return entity

    def state(self, device: str, name: str) -> str:
        """Return an entity's state as Home Assistant shows it."""
        entity = self.entity(device, name)
        places = entity.shared["availability"]
        if any(self.heard.get(place["topic"]) != b"online" for place in places):
            return "unavailable"
        payload = self.heard.get(entity.topic("state_topic") or "")
        said = "unknown" if payload is None else self._render(entity.config["value_template"], payload)
        return "unknown" if said == "None" else said

    def attributes(self, device: str, name: str) -> dict[str, Any]:
        entity = self.entity(device, name)
        payload = self.heard[entity.topic("json_attributes_topic") or ""]
        told: dict[str, Any] = json.loads(self._render(entity.config["json_attributes_template"], payload))
        return told

    def wait_for(self, device: str, name: str, wanted: Callable[[str], bool] | str) -> str:
        def fits() -> bool:
            state = self.state(device, name)
            return wanted(state) if callable(wanted) else state == wanted

        wait_until(fits, f"{device} {name} is {wanted}, not {self.state(device, name)}")
        return self.state(device, name)

    def send(self, device: str, name: str, payload: str, retain: bool = False) -> None:
        """Do what a switch or a button of an entity does."""
        entity = self.entity(device, name)
        topic = entity.topic("command_topic")
        assert topic is not None
        self._client.publish(topic, payload, qos=1, retain=retain).wait_for_publish(10)

    def press(self, device: str, name: str) -> None:
        self.send(device, name, self.entity(device, name).config["payload_press"])

    @property
    def devices(self) -> set[str]:
        return {told["device"]["name"] for told in list(self._configs.values())}

    def _connected(self, *_: Any) -> None:
        self._client.subscribe(f"{self._prefix}/device/+/config")

    def _render(self, template: str, payload: bytes) -> str:
        return self._templates.from_string(template).render(value_json=json.loads(payload))

    def _hear(self, _client: Client, _userdata: Any, message: Any) -> None:
        if _TOPIC.fullmatch(message.topic):
            self._discover(message.topic, message.payload)
        elif message.payload:
            self.heard[message.topic] = message.payload
            self.counts[message.topic] = self.counts.get(message.topic, 0) + 1
        else:
            self.heard.pop(message.topic, None)

    def _discover(self, topic: str, payload: bytes) -> None:
        self.announced.append((topic, payload))
        others = {ident: each for ident, each in self.entities.items() if each.shared is not self._configs.get(topic)}
        if not payload:
            self.entities = others
            self._configs.pop(topic, None)
            return
        try:
            told = check_announcement(topic, payload)
        except (AssertionError, KeyError, ValueError) as error:
            self.problems.append(f"{topic}: {error!r}")
            return
        name = told["device"]["name"]
        mine = [Entity(name, entity, told) for entity in told["components"].values() if "unique_id" in entity]
        idents = [each.config["unique_id"] for each in mine]
        self.problems += [f"{ident} is not unique" for ident in idents if ident in others or idents.count(ident) > 1]
        self._configs[topic] = told
        self.entities = others | dict(zip(idents, mine, strict=True))
        wanted = {place["topic"] for place in told["availability"]} | {told["state_topic"]}
        self._client.subscribe([(each, told["qos"]) for each in sorted(wanted)])


MakeHub = Callable[[Broker, str], Hub]


@pytest.fixture
def make_hub() -> Iterator[MakeHub]:
    """Return a maker of hubs, each with a discovery prefix of its own, as tests share a broker."""
    made: list[Hub] = []

    def make(broker: Broker, prefix: str) -> Hub:
        made.append(Hub(broker, prefix))
        return made[-1]

    yield make
    for hub in made:
        hub.stop()
        assert hub.problems == []
