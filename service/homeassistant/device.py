"""A device: what Home Assistant is told of a stream, so that it knows its entities and their topics.

The form is that of its device discovery (home-assistant.io/integrations/mqtt, "Device discovery payload"). Names of
streams and channels appear as names only, never in a topic, an id or a template: what stands there is made of hashes.
"""

import hashlib
import re
from collections.abc import Mapping, Sequence
from functools import cache
from importlib.metadata import version
from typing import Any, NamedTuple

import msgspec

from edge.manifest import Channel
from service.brokers.consumers import availability_topic
from service.homeassistant.settings import devices_topic

PRESS, ON, OFF = b"PRESS", b"ON", b"OFF"  #: what Home Assistant sends
MUTE, FALSE_ALARM = "mute", "false-alarm"  #: last levels of the topics that it sends to
_LONGEST_NAME = 200  # characters
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")

Key = tuple[str, str]  #: monitor and stream


class Device(NamedTuple):
    """A stream as Home Assistant knows it."""

    ident: str  #: of letters, digits and '_' only
    config: str  #: topic of its announcement
    base: str  #: beneath which its own topics are

    @property
    def state(self) -> str:
        """Return the topic that all its states are on, as JSON."""
        return f"{self.base}/state"

    @property
    def availability(self) -> str:
        """Return the topic that says whether the stream says anything."""
        return f"{self.base}/availability"


class Announcement(NamedTuple):
    """What is told of a device, and of which entities."""

    body: bytes
    components: Mapping[str, str]  #: platform by name


def device_of(key: Key, discovery: str, prefix: str) -> Device:
    """Return the device of a stream; `discovery` is Home Assistant's prefix, `prefix` the service's own."""
    digest = hashlib.sha256(msgspec.json.encode([prefix, *key])).hexdigest()[:24]
    ident = f"foresense_{digest}"
    return Device(ident, f"{discovery}/device/{ident}/config", f"{devices_topic(prefix)}/{ident}")


def place_of(channel: str) -> str:
    """Return what a channel is called within states.

    >>> place_of("<flow>")
    'expected_b5e72fda'
    """
    return f"expected_{hashlib.sha256(channel.encode()).hexdigest()[:8]}"


def announcement(
    device: Device, key: Key, prefix: str, channels: Sequence[Channel], bundle: str, gone: Mapping[str, str]
) -> Announcement:
    """Return the announcement of a stream; of entities that are `gone` it has the platform only, which removes them."""
    components = {name: _component(device, name, each) for name, each in _entities(device, channels).items()}
    body = {
        "device": {
            "identifiers": [device.ident],
            "name": _shown(key[1]) or device.ident,
            "manufacturer": "Foresense",
            "model": f"monitor {_shown(key[0])}",
            "sw_version": _shown(bundle),
        },
        "origin": {"name": "foresense", "sw_version": _version()},
        "availability": [{"topic": availability_topic(prefix)}, {"topic": device.availability}],
        "availability_mode": "all",
        "state_topic": device.state,
        "qos": 1,
        "components": components | {name: {"platform": platform} for name, platform in gone.items()},
    }
    return Announcement(msgspec.json.encode(body), {name: each["platform"] for name, each in components.items()})


def _entities(device: Device, channels: Sequence[Channel]) -> dict[str, dict[str, Any]]:
    """Return what is particular of each entity."""
    measured = {"platform": "sensor", "state_class": "measurement", "suggested_display_precision": 2}
    entities: dict[str, dict[str, Any]] = {
        "problem": {
            "platform": "binary_sensor",
            "name": "Problem",
            "device_class": "problem",
            "json_attributes_topic": device.state,
            "json_attributes_template": "{{ value_json.alarm | tojson }}",
        },
        "score": measured | {"name": "Score", "icon": "mdi:chart-bell-curve"},
        "bundle": {"platform": "sensor", "name": "Bundle", "entity_category": "diagnostic", "icon": "mdi:package"},
        "mute": {
            "platform": "switch",
            "name": "Mute",
            "command_topic": f"{device.base}/{MUTE}",
            "entity_category": "config",
            "icon": "mdi:bell-off",
        },
        "false_alarm": {
            "platform": "button",
            "name": "False alarm",
            "command_topic": f"{device.base}/{FALSE_ALARM}",
            "payload_press": PRESS.decode(),
            "entity_category": "config",
            "icon": "mdi:thumb-down",
        },
    }
    for channel in channels:
        unit = {"unit_of_measurement": _shown(channel.unit)} if channel.unit else {}
        entities[place_of(channel.name)] = measured | {"name": f"Expected {_shown(channel.name)}"} | unit
    return entities


def _component(device: Device, name: str, entity: dict[str, Any]) -> dict[str, Any]:
    has_state = entity["platform"] != "button"
    # with a new channel Home Assistant first reads the retained state of before, which does not have it
    template = {"value_template": f"{{{{ value_json.{name} | default(none) }}}}"} if has_state else {}
    return entity | {"unique_id": f"{device.ident}_{name}"} | template


@cache
def _version() -> str:
    return version("foresense")  # which reads files


def _shown(text: str) -> str:
    """Return a name as it may be shown: on one line, and of bounded length."""
    return _CONTROL.sub(" ", text)[:_LONGEST_NAME].strip()
