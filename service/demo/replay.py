"""Replays a recording over MQTT in fast motion, as the sensor would have sent it."""

import json
from collections.abc import Sequence
from datetime import datetime
from threading import Event
from typing import Self

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion
from rich.console import Console
from rich.progress import track

from edge.errors import ForesenseError
from service.demo.recording import CHANNEL, STREAM

TOPIC = f"plant/{STREAM}/{CHANNEL}"
PATIENCE_S = 30.0


class Sensor:
    """An MQTT client that sends readings once the service says that it listens."""

    def __init__(self, port: int, availability: str) -> None:
        self._port = port
        self._availability = availability
        self._ready = Event()
        self._client = mqtt.Client(CallbackAPIVersion.VERSION2, client_id="demo-sensor")
        self._client.on_message = self._on_message

    def __enter__(self) -> Self:
        self._client.connect("127.0.0.1", self._port)
        self._client.subscribe(self._availability, qos=1)
        self._client.loop_start()
        return self

    def __exit__(self, *exc: object) -> None:
        self._client.disconnect()
        self._client.loop_stop()

    def _on_message(self, client: mqtt.Client, userdata: object, message: mqtt.MQTTMessage) -> None:  # noqa: ARG002
        if message.payload == b"online":
            self._ready.set()

    def wait_until_ready(self) -> None:
        """Wait for the service's birth message; ForesenseError if none comes."""
        if not self._ready.wait(PATIENCE_S):
            raise ForesenseError(
                f"demo: expected the service to be ready within {PATIENCE_S:g} s, got no birth message"
            )

    def send(self, readings: Sequence[tuple[datetime, float]], console: Console) -> None:
        """Publish each reading with its own time at QoS 1, the next once the broker has taken the last."""
        for time, value in track(readings, "Replaying over MQTT", console=console, disable=not console.is_terminal):
            sent = self._client.publish(TOPIC, json.dumps({"time": time.isoformat(), "value": value}), qos=1)
            sent.wait_for_publish(PATIENCE_S)
            if not sent.is_published():
                raise ForesenseError(
                    f"demo: expected the broker to take each reading within {PATIENCE_S:g} s, got nothing"
                )
