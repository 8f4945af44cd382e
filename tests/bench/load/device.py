"""A device that is measured: the agent, what it watches, and a subscriber that hears its verdicts."""

import json
import os
import subprocess
import sys
import tempfile
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from threading import Semaphore
from typing import Any

import numpy as np
import tensorflow as tf
import yaml
from paho.mqtt.client import Client, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion

from models.forecaster import Forecaster
from models.spec import ForecasterSpec
from tests.bench.load.process import cpu_s, resident_mb
from tests.bench.load.site import write_lstm
from tests.system.conftest import Broker

STARTS = 5
PATIENCE_S = 60.0
FURTHER = 5  #: bundles besides the first
WINDOW = 64  #: slots
WARM_UP = 200  #: readings, after which the stream is no longer learnt
START_MS = 1_700_000_040_000
READ = {"payload": "json", "time": "t"}  #: how lines are read


class Device:
    """A folder with a configuration for so many bundles; the first is fed from standard input."""

    def __init__(self, folder: Path, broker: Broker, bundles: Path, count: int) -> None:
        folder.mkdir()
        self._broker = broker
        self._heard = Semaphore(0)
        # as on a device, where the modules were compiled when they were installed
        self._compiled = {"PYTHONPYCACHEPREFIX": str(folder / "compiled"), "PYTHONDONTWRITEBYTECODE": ""}
        self._configuration = folder / "edge.yaml"
        monitors = {
            f"bench-{number}": {"bundle": f"bench-{number}", "source": f"file:{folder / 'readings'}"} | READ
            for number in range(1, count)
        }
        (folder / "readings").write_bytes(line(0))
        first = {"bundle": "bench-0", "source": "stdin", "stream": "bench"} | READ
        settings = {
            "broker": {"port": broker.port},
            "bundles": str(bundles),
            "database": str(folder / "edge.db"),
            "runtime": "litert",
            "publish": {"prefix": folder.name},
            "monitors": {"bench-0": first} | monitors,
        }
        self._configuration.write_text(yaml.safe_dump(settings))
        self._client = Client(CallbackAPIVersion.VERSION2)
        self._client.on_message = self._hear
        self._client.connect("127.0.0.1", broker.port)
        self._client.subscribe(f"{folder.name}/#", 1)
        self._client.loop_start()
        self._slot = 0

    @contextmanager
    def running(self, verdicts: int = 1) -> Iterator[tuple[subprocess.Popen[bytes], float]]:
        """Run the agent; yield it, once it has given so many verdicts, and the seconds until the first one."""
        command = [str(Path(sys.executable).with_name("foresense")), "edge", "run", str(self._configuration)]
        began = time.monotonic()
        with subprocess.Popen(
            command, stdin=subprocess.PIPE, stderr=subprocess.DEVNULL, env=os.environ | self._compiled
        ) as agent:
            try:
                self._give(agent)
                self._wait()
                took = time.monotonic() - began
                for _ in range(verdicts - 1):
                    self._wait()
                yield agent, took
            finally:
                agent.terminate()
                agent.wait(PATIENCE_S)

    def feed(self, agent: subprocess.Popen[bytes], readings: int) -> float:
        """Give readings one by one, and return the CPU seconds that the agent took for them."""
        before = cpu_s(agent.pid)
        for _ in range(readings):
            self._give(agent)
            self._wait()
        return cpu_s(agent.pid) - before

    def close(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()

    def _hear(self, _client: Client, _data: Any, message: MQTTMessage) -> None:
        if message.topic.endswith("/verdict"):
            self._heard.release()

    def _give(self, agent: subprocess.Popen[bytes]) -> None:
        self._slot += 1
        assert agent.stdin is not None
        agent.stdin.write(line(self._slot))
        agent.stdin.flush()

    def _wait(self) -> None:
        if not self._heard.acquire(timeout=PATIENCE_S):
            raise TimeoutError(f"a verdict: not within {PATIENCE_S:g} s")


def line(slot: int) -> bytes:
    """Return the reading of a slot, as the agent reads it."""
    return json.dumps({"t": START_MS + 60_000 * slot, "value": float(np.sin(slot))}).encode() + b"\n"


def measure(readings: int) -> dict[str, float]:
    """Return the figures of a device."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for number in range(1 + FURTHER):  # each has a step of its own
            write_lstm(folder / "bundles", ["bench"], f"bench-{number}")
        broker = Broker(folder).start()
        try:
            one = Device(folder / "one", broker, folder / "bundles", 1)
            with one.running():
                pass  # the first start, in which the bundle is proven and the modules are compiled
            starts = []
            for _ in range(STARTS):
                with one.running() as (agent, start_s):
                    starts.append(start_s)
                    one.feed(agent, WARM_UP)
                    few_mb = resident_mb(agent.pid)
            with one.running() as (agent, _):
                one.feed(agent, WARM_UP)
                reading_us = 1e6 * one.feed(agent, readings) / readings
                rss_mb = resident_mb(agent.pid)
            one.close()
            many = Device(folder / "many", broker, folder / "bundles", 1 + FURTHER)
            with many.running(verdicts=1 + FURTHER):
                pass
            with many.running() as (agent, _):
                many.feed(agent, WARM_UP)
                many_mb = resident_mb(agent.pid)
            many.close()
        finally:
            broker.stop()
    return {
        "start_s": round(median(starts), 2),
        "rss_mb": round(rss_mb, 1),
        "rss_mb_per_bundle": round((many_mb - few_mb) / FURTHER, 2),
        "cpu_us_per_reading": round(reading_us, 1),
        "gain_over_window": round(window_us(readings) / reading_us, 2),
    }


def window_us(readings: int) -> float:
    """Return the CPU microseconds of a reading in a loop that runs the last WINDOW slots through the LSTM each time."""
    from ai_edge_litert.interpreter import Interpreter

    forecaster = Forecaster(ForecasterSpec(family="lstm", units=32), channels=1)
    signature = [tf.TensorSpec([1, WINDOW, forecaster.inputs], tf.float32)]
    function = tf.function(lambda x: forecaster(x)[0][:, -1], input_signature=signature)
    converter = tf.lite.TFLiteConverter.from_concrete_functions([function.get_concrete_function()])
    interpreter = Interpreter(model_content=converter.convert(), num_threads=1)
    interpreter.allocate_tensors()
    given, answer = (ends[0]["index"] for ends in (interpreter.get_input_details(), interpreter.get_output_details()))
    last = deque(np.zeros((WINDOW, forecaster.inputs), np.float32), WINDOW)
    began = time.process_time()
    for slot in range(readings):
        last.append(np.full(forecaster.inputs, np.sin(slot), np.float32))
        interpreter.set_tensor(given, np.stack(last)[None])
        interpreter.invoke()
        interpreter.get_tensor(answer)
    return 1e6 * (time.process_time() - began) / readings
