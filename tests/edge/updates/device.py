"""A device that runs bundles and takes updates: a program with nothing in it but what updates need.

    python device.py SETTINGS

SETTINGS is JSON: port, device, prefix, bundles, keyring, groups, healthy_s, monitors (name -> bundle), and `behaviour`:
the versions whose engine is to fail once they are in charge ('raises'), or that never give a verdict ('silent').
"""

import json
import signal
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Any

import numpy as np
from paho.mqtt.client import Client, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion

from edge.agent.part import Health
from edge.engine import Engine, open_engine
from edge.reading import Readings
from edge.updates.keys import Keyring
from edge.updates.part import Updates
from edge.updates.settings import UpdateSettings
from edge.updates.signature import read_signed_bundle

TURN_S = 0.05
START_MS = 1_700_000_000_000


@dataclass(slots=True)
class Running:
    """One monitor's bundle, and how it does."""

    bundle: str
    engine: Engine
    opened_s: float = field(default_factory=time.monotonic)
    verdicts: int = 0
    failures: int = 0
    newest_ms: int | None = None

    @property
    def health(self) -> Health:
        since_s = time.monotonic() - self.opened_s
        return Health(self.bundle, since_s, self.verdicts, failures=self.failures, newest_ms=self.newest_ms)

    def turn(self, behaviour: str) -> None:
        """Feed the engine the next reading."""
        if behaviour == "silent":
            return
        if behaviour == "raises":
            self.failures += 1
            return
        interval_ms = self.engine.manifest.interval_ms
        time_ms = (self.newest_ms or START_MS) + interval_ms
        channels = len(self.engine.manifest.channels)
        values = np.full(channels, float(np.sin(self.verdicts)))
        each = np.arange(channels, dtype=np.int16)
        got = self.engine.feed(Readings(np.zeros(channels, np.int32), each, np.full(channels, time_ms), values))
        self.verdicts += len(got)
        self.newest_ms = time_ms


class Device:
    """The host of the updates."""

    def __init__(self, settings: dict[str, Any]) -> None:
        self.bundles = Path(settings["bundles"])
        self.device: str = settings["device"]
        self.prefix: str = settings["prefix"]
        self.messages: SimpleQueue[MQTTMessage] = SimpleQueue()
        self._settings = settings
        self._keyring = Path(settings["keyring"])
        self._running: dict[str, Running] = {}
        self._client = Client(CallbackAPIVersion.VERSION2, f"{settings['device']}-{settings['prefix']}")
        self._client.on_message = lambda _c, _u, message: self.messages.put(message)

    def connect(self, filters: list[str]) -> None:
        def subscribe(*_: Any) -> None:
            self._client.subscribe([(each, 1) for each in filters])

        self._client.on_connect = subscribe
        self._client.connect("127.0.0.1", self._settings["port"])
        self._client.loop_start()

    @property
    def is_connected(self) -> bool:
        return self._client.is_connected()

    def publish(self, topic: str, payload: bytes, retain: bool = False) -> None:
        self._client.publish(topic, payload, qos=1, retain=retain)

    def monitors(self) -> dict[str, str]:
        monitors: dict[str, str] = self._settings["monitors"]
        return monitors

    def switch(self, monitor: str, path: Path) -> None:
        bundle = read_signed_bundle(path, Keyring.read(self._keyring))
        engine = open_engine(bundle)
        engine.add(["plant/pump-1"])
        self._running[monitor] = Running(bundle.reference, engine)

    def health(self, monitor: str) -> Health:
        return self._running[monitor].health

    def open(self) -> None:
        """Open what is in charge."""
        for monitor, name in self.monitors().items():
            self.switch(monitor, (self.bundles / name / "current").resolve())

    def turn(self) -> None:
        for running in self._running.values():
            running.turn(self._settings["behaviour"].get(running.bundle.rpartition("/")[2], ""))


def main(path: str) -> None:
    settings = json.loads(Path(path).read_text())
    device = Device(settings)
    healthy = f"{round(settings['healthy_s'] * 1000)}ms"
    given = UpdateSettings(Path(settings["keyring"]), healthy, tuple(settings["groups"]))
    updates = Updates(given, settings["device"], settings["prefix"])
    updates.start(device)
    device.open()
    device.connect(list(updates.filters))
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    try:
        while True:
            try:
                message = device.messages.get(timeout=TURN_S)
                updates.on_message(message.topic, bytes(message.payload))
            except Empty:
                pass
            device.turn()
            updates.turn()
    finally:
        updates.stop()


if __name__ == "__main__":
    main(sys.argv[1])
