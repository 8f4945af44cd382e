"""How many bytes a day a device writes to its disk, for one stream with an LSTM(32) and a reading each 10 s.

The device program is given a minute's readings at a time and writes once for each, as it does with
`write_every: 1min`. What the kernel says that the process has written (`wchar` of /proc/PID/io: files, not the
network), over the number of commits, is that of a minute. Once with the broker there, once with it away, when the
verdicts wait.

    python tests/bench/edge_writes.py [--json] [--short]
"""

import json
import math
import re
import signal
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import yaml

from edge.bundle import GOLDEN, write_bundle
from edge.day import bins_of
from edge.engine import open_engine
from edge.golden import golden_bytes
from edge.reading import Readings
from edge.state import layout, record_dtype
from models.spec import ForecasterSpec
from tests.bench.engine import report, untrained_bundle
from tests.system.conftest import Broker, free_port, wait_until

INTERVAL_S, A_MINUTE, MINUTES_A_DAY = 10, 6, 1440
START_MS = 1_700_000_000_000
APART_S = 0.05  # from one minute's readings to the next
_COMMITS = re.compile(r"(\d+) commits")


def measure(folder: Path, port: int, minutes: int) -> float:
    """Return the bytes that a day takes with a broker on a port, which may be away."""
    folder.mkdir(exist_ok=True)
    config, log = folder / "edge.yaml", folder / "edge.log"
    monitor = {"bundle": "bench", "source": "stdin", "payload": "json", "time": "t", "stream": "plant/sensor-0"}
    settings = {"device": "bench", "broker": {"port": port}, "bundles": "../bundles", "monitors": {"main": monitor}}
    config.write_text(yaml.safe_dump(settings | {"write_every": "1ms"}))
    command = [str(Path(sys.executable).with_name("foresense")), "edge", "run", str(config)]
    with log.open("w") as told, subprocess.Popen(command, stdin=subprocess.PIPE, stderr=told, text=True) as process:
        assert process.stdin is not None
        wait_until(lambda: "edge.brokers" in log.read_text(), "it has begun", 60)
        before = written(process.pid)
        for minute in range(minutes):
            process.stdin.write("".join(lines(minute)))
            process.stdin.flush()
            time.sleep(APART_S)
        after = written(process.pid)
        process.send_signal(signal.SIGTERM)
        process.wait(30)
    found = _COMMITS.search(log.read_text())
    assert found is not None, log.read_text()
    return (after - before) / int(found[1]) * MINUTES_A_DAY


def lines(minute: int) -> list[str]:
    """Return a minute's readings as lines."""
    slots = range(minute * A_MINUTE, (minute + 1) * A_MINUTE)
    return [json.dumps({"t": START_MS + 1000 * INTERVAL_S * k, "value": math.sin(k / 50)}) + "\n" for k in slots]


def written(pid: int) -> int:
    """Return how many bytes a process has written to files so far."""
    told = dict(line.split(": ") for line in Path(f"/proc/{pid}/io").read_text().splitlines())
    return int(told["wchar"])


def sealed(folder: Path) -> None:
    """Write the bundle, with golden verdicts."""
    bundle = untrained_bundle(ForecasterSpec(family="lstm", units=32))
    before, interval_ms = bundle.manifest, 1000 * INTERVAL_S
    bins = bins_of(interval_ms)
    manifest = replace(
        before,
        interval_ms=interval_ms,
        day_bins=bins,
        layout=layout(record_dtype(1, before.memory, bins, before.segments)),
    )
    engine = open_engine(replace(bundle, manifest=manifest))
    engine.add(["plant/sensor-0"])
    zeros = np.zeros(20)
    times = START_MS + interval_ms * np.arange(20)
    readings = Readings(zeros.astype(np.int32), zeros.astype(np.int16), times, np.sin(times / 1e6))
    golden = golden_bytes(["plant/sensor-0"], readings, engine.feed(readings))
    write_bundle(folder, manifest, bundle.files | {GOLDEN: golden})


def main() -> None:
    """Measure with the broker and without it, and print the figures."""
    minutes = 100 if "--short" in sys.argv[1:] else 600
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        sealed(folder / "bundles")
        broker = Broker(folder).start()
        try:
            there = measure(folder / "there", broker.port, minutes)
        finally:
            broker.stop()
        away = measure(folder / "away", free_port(), minutes)
    report({"mb_a_day": round(there / 1e6, 1), "mb_a_day_broker_away": round(away / 1e6, 1)})


if __name__ == "__main__":
    main()
