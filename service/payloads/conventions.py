"""The conventions: what reads the payloads of each."""

from collections.abc import Callable

from edge.payloads.number import NumberPayload
from edge.payloads.payload import Payload
from service.payloads.influx import InfluxPayload
from service.payloads.json import JsonPayload
from service.payloads.objects import ObjectPayload
from service.payloads.senml import SenmlPayload
from service.payloads.sparkplug import SparkplugPayload
from service.payloads.states import StatePayload
from service.payloads.telegraf import TelegrafPayload
from service.pipeline.source import SourceSettings


def publish_nothing(_topic: str, _payload: bytes) -> None:
    """Stand for a way to publish where there is none, as when what was recorded is read."""


def open_payload(settings: SourceSettings, ask: Callable[[str, bytes], None] = publish_nothing) -> Payload:
    """Return what reads the payloads of a source; `ask` publishes what it may have to ask of a device."""
    fields, tags, zone = settings.fields, settings.tags, settings.time_zone
    match settings.payload:
        case "number":
            return NumberPayload()
        case "json":
            return JsonPayload(settings.value or "value", fields, settings.time, settings.step, zone)
        case "zigbee2mqtt":
            return ObjectPayload("last_seen", fields, zone)
        case "tasmota":
            return ObjectPayload("Time", fields, zone)
        case "esphome" | "homeassistant":
            return StatePayload()
        case "telegraf":
            return TelegrafPayload(fields, tags, zone)
        case "influx":
            return InfluxPayload(fields, tags)
        case "senml":
            return SenmlPayload(fields)
        case "sparkplug":
            return SparkplugPayload(fields, ask)
