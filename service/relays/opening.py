"""Opening: from the settings of sinks to what writes their rows and delivers them."""

from collections.abc import Mapping
from importlib import import_module
from typing import Protocol

from edge.errors import ForesenseError
from service.relays.delivery import Target
from service.relays.outbox import Sink
from service.relays.sinks import SinkSettings
from service.relays.webhook import WebhookSink


class ServerSink(Sink, Target, Protocol):
    """A sink whose rows are delivered to a server that answers; as text it says where and what."""


def open_sinks(settings: Mapping[str, SinkSettings]) -> tuple[list[ServerSink], list[str]]:
    """Return the sinks that can be opened, nothing connected yet, and what is wrong with the others."""
    sinks: list[ServerSink] = []
    problems: list[str] = []
    for name, sink in settings.items():
        try:
            sinks.append(_open(name, sink))
        except ForesenseError as error:
            problems.append(f"sinks.{name}: {error}")
    return sinks, problems


def _open(name: str, settings: SinkSettings) -> ServerSink:
    if settings.webhook is not None:
        return WebhookSink(name, settings.webhook, settings)
    influx = import_module("service.relays.influx")  # its client takes long to import
    sink: ServerSink = influx.InfluxSink(name, settings.influx, settings)
    return sink
