"""Where the service is measured: a broker without limits, an LSTM(32), and processes that publish and subscribe."""

import json
import re
import shutil
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from edge.bundle import GOLDEN, Bundle, write_bundle
from edge.engine import open_engine
from edge.golden import golden_bytes
from edge.reading import Readings
from models.spec import ForecasterSpec
from tests.bench.engine import untrained_bundle
from tests.bench.load.publisher import Load, stream
from tests.system.conftest import CONFIGURATION, Broker, Plant

UNLIMITED = "max_queued_messages 0\nmax_inflight_messages 0\n"
PUBLISHER = Path(__file__).with_name("publisher.py")
PATIENCE_S = 300.0
_LOOK_S = 0.03
_COUNT = re.compile(r"(\d+) (received|committed|fed|verdicts|alarms|retries)\b")


class Published(NamedTuple):
    """When a publisher began and ended (time.monotonic), and when it sent the messages that were far off."""

    began: float
    ended: float
    cpu_s: float
    far: dict[int, float]


class Site:
    """A broker, a bundle of known streams, and services one after another."""

    def __init__(self, folder: Path, streams: int) -> None:
        self._folder = folder
        self.broker = Broker(folder, CONFIGURATION + UNLIMITED).start()
        self.bundles = folder / "bundles"
        self.streams = [stream(number) for number in range(streams)]
        write_lstm(self.bundles, self.streams)

    def service(self, name: str, protocol: int | str = 5, **settings: Any) -> Plant:
        """Return a service on all topics that is not started yet."""
        monitor = {"topic": "plant/{sensor}", "payload": "json", "time": "ts", "bundle": "bench"}
        return Plant(
            self._folder / name,
            self.broker,
            name,
            self.bundles,
            {"main": monitor},
            protocol=protocol,
            settings=settings,
        )

    @contextmanager
    def publisher(self, load: Load) -> Iterator[subprocess.Popen[str]]:
        """Run a publisher up to where it waits for go()."""
        command = [sys.executable, str(PUBLISHER), load.as_json()]
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
            try:
                assert process.stdout is not None
                if process.stdout.readline() != "ready\n":
                    raise ConnectionError("the publisher is not ready")
                yield process
            finally:
                process.kill()

    def close(self) -> None:
        self.broker.stop()


def go(publisher: subprocess.Popen[str]) -> float:
    """Have a publisher begin, and return when that was."""
    assert publisher.stdin is not None
    began = time.monotonic()
    publisher.stdin.write("\n")
    publisher.stdin.flush()
    return began


def published(publisher: subprocess.Popen[str]) -> Published:
    """Return what a publisher tells at its end."""
    assert publisher.stdout is not None
    told = json.loads(publisher.stdout.readline())
    return Published(told["began"], told["ended"], told["cpu_s"], {int(k): at for k, at in told["far"].items()})


def subscribe_alone(site: Site, load: Load) -> float:
    """Return the seconds from the first message's publishing until mosquitto_sub has them all."""
    command = [
        shutil.which("mosquitto_sub") or "mosquitto_sub",
        *(
            "-h",
            "127.0.0.1",
            "-p",
            str(site.broker.port),
            "-i",
            "alone",
            "-c",
            "-q",
            str(load.qos),
            "-t",
            f"{load.root}/+",
        ),
    ]
    subprocess.run([*command, "-E"], check=True, timeout=PATIENCE_S)
    with (
        site.publisher(load) as publisher,
        subprocess.Popen([*command, "-C", str(load.messages)], stdout=subprocess.DEVNULL) as subscriber,
    ):
        time.sleep(0.5)
        began = go(publisher)
        if subscriber.wait(PATIENCE_S) != 0:
            raise ConnectionError("mosquitto_sub has failed")
        return time.monotonic() - began


def counts(plant: Plant) -> dict[str, int]:
    """Return the counts in a service's log, as of its end."""
    last = plant.log.read_text().rpartition("stopped;")[2]
    return {name: int(count) for count, name in _COUNT.findall(last)}


def wait_for_alarm(plant: Plant, stream: str, start_ms: int) -> float:
    """Return when it was seen (time.monotonic) that a stream's alarm is committed; it looks rarely, as that costs."""
    select = 'SELECT count(*) FROM alarm JOIN stream ON stream.id = alarm.stream WHERE name = ? AND "start" = ?'
    deadline = time.monotonic() + PATIENCE_S
    with closing(sqlite3.connect(plant.database)) as db:
        while db.execute(select, (stream, start_ms)).fetchone() != (1,):
            if time.monotonic() > deadline:
                raise TimeoutError(f"{stream}'s alarm: not within {PATIENCE_S:g} s")
            time.sleep(_LOOK_S)
    return time.monotonic()


def write_lstm(root: Path, streams: list[str], name: str = "bench") -> Bundle:
    """Write a bundle with an LSTM(32), its weights as training begins with them, that knows the streams."""
    bundle = untrained_bundle(ForecasterSpec(family="lstm", units=32))
    known = next(iter(bundle.manifest.scaling.streams.values()))
    scaling = replace(bundle.manifest.scaling, streams=dict.fromkeys(streams, known))
    manifest = replace(bundle.manifest, name=name, scaling=scaling)
    engine = open_engine(replace(bundle, manifest=manifest))
    rows, slots = engine.add(streams[:1]), np.arange(40)
    times = 1_700_000_040_000 + slots * manifest.interval_ms
    values = np.where(slots == 30, 100.0, np.sin(slots))
    readings = Readings(np.repeat(rows, 40), np.zeros(40, np.int16), times, values)
    golden = golden_bytes(streams[:1], readings, engine.feed(readings))
    return write_bundle(root, manifest, bundle.files | {GOLDEN: golden})
