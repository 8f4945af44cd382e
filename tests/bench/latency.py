"""How long it takes from a reading's publishing until a subscriber has the alarm that it raises.

1,000 messages a second come on 1,000 topics through mosquitto; a value that no forecast foresees is among them now
and then, of another stream each time. The alarm is committed, durably, and then published at QoS 1; so are, at QoS 0,
the verdicts on all readings. The subscriber is a client of its own.

    python tests/bench/latency.py [--json] [--short]
"""

import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion

from tests.bench.engine import report
from tests.bench.load.publisher import Load
from tests.bench.load.site import Site, counts, go, published
from tests.system.conftest import wait_until

TOPICS, RATE = 1000, 1000.0
APART = 23  # messages from one far value to the next; no divisor of the number of topics


def measure(site: Site, rounds: int) -> dict[str, float]:
    """Publish, and return the figures."""
    plant = site.service("latency", incident=False, publish={"prefix": "told"})
    heard: dict[str, float] = {}
    client = Client(CallbackAPIVersion.VERSION2)
    client.on_message = lambda _c, _u, message: note(heard, message)
    client.connect("127.0.0.1", site.broker.port)
    client.subscribe("told/+/alarm", 1)
    client.loop_start()
    try:
        plant.start()
        wait_until(lambda: "ready: subscribed" in plant.log.read_text(), "the service is ready", 60)
        start_ms = (int(time.time()) - 86_400) // 60 * 60_000
        warm_up = Load(site.broker.port, topics=TOPICS, rounds=8, start_ms=start_ms, rate=4 * RATE)
        with site.publisher(replace(warm_up, rounds=8)) as publisher:
            go(publisher)
            published(publisher)
        load = replace(warm_up, rounds=rounds, start_ms=start_ms + 8 * 60_000, rate=RATE, far=APART)
        with site.publisher(load) as publisher:
            go(publisher)
            sent = published(publisher).far
        raised = {load.stream(number): at for number, at in sent.items() if number < load.messages - 1}
        wait_until(lambda: raised.keys() <= heard.keys(), "every alarm", 30)
        plant.end()
        told = counts(plant)
    finally:
        plant.kill()
        client.disconnect()
        client.loop_stop()
    took_ms = np.array([1000 * (heard[name] - at) for name, at in raised.items()])
    return {
        "p50_ms": round(float(np.percentile(took_ms, 50)), 2),
        "p99_ms": round(float(np.percentile(took_ms, 99)), 2),
        "max_ms": round(float(took_ms.max()), 2),
        "alarms": len(took_ms),
        "lost": warm_up.messages + load.messages - told["fed"],
    }


def note(heard: dict[str, float], message: Any) -> None:
    """Keep when a stream's first alarm was heard."""
    if b'"state":"opened"' in message.payload:
        heard.setdefault(message.topic.split("/")[1], time.monotonic())


def main() -> None:
    """Print the figures as a table, or as JSON."""
    with tempfile.TemporaryDirectory() as folder:
        site = Site(Path(folder), TOPICS)
        try:
            figures = measure(site, 6 if "--short" in sys.argv[1:] else 20)
        finally:
            site.close()
    report(figures)


if __name__ == "__main__":
    main()
