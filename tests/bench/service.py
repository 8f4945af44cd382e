"""How much of what a broker delivers the service commits, beside mosquitto_sub on the same stream.

mosquitto, without limits, carries one reading a message (JSON of some 50 bytes) on 1,000 topics; each reading is one
verdict of an LSTM(32), and each verdict is stored, which makes a durable commit. mosquitto_sub receives the same
stream alone, in turn with the service, so that both see the same machine. Then messages of 100 readings a piece, with
every verdict stored and with those of alarms only; a burst of ten times 1,000 messages a second; 10,000 streams.
Verdicts are published as usual, which a service with a backlog leaves out.

    python tests/bench/service.py [--json] [--short] [qos1] [qos0] [batched] [alarms] [burst] [streams]
"""

import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from tests.bench.engine import report
from tests.bench.load.process import cpu_s, resident_mb
from tests.bench.load.publisher import Load
from tests.bench.load.site import Site, counts, go, published, subscribe_alone, wait_for_alarm
from tests.system.conftest import wait_until

TOPICS, STREAMS = 1000, 10_000
RATE = 1000.0  # messages a second, of which a burst has ten times as many
ALONE = "alone"  # topics that the service does not see
SETTINGS: dict[str, Any] = {"publish": {"prefix": "told"}, "incident": False}


class Bench:
    """A site and one service; each load is of later slots than the one before."""

    def __init__(self, site: Site, topics: int = TOPICS, root: str = "plant", **settings: Any) -> None:
        self._topics, self._root = topics, root
        self._loads = 0
        self.plant = site.service(f"service-{time.monotonic_ns()}", **SETTINGS | settings).start()
        self.published = 0  # readings
        self._site = site
        self._next_ms = (int(time.time()) - 30 * 86_400) // 60 * 60_000

    def load(self, rounds: int, readings: int = 1, qos: int = 1) -> Load:
        """Return a load of the slots that follow those before."""
        load = Load(
            self._site.broker.port, self._root, self._topics, rounds, readings, qos,
            start_ms=self._next_ms, shift=self._loads,
        )  # fmt: skip
        self._loads += 1  # so that the alarm of each load's last message is another stream's
        self._next_ms += load.slots * load.interval_ms
        return load

    def commit(self, load: Load) -> tuple[float, float]:
        """Return the seconds from the first message's publishing until all is committed, and the CPU it took."""
        with self._site.publisher(load) as publisher:
            before, began = cpu_s(self.plant.pid), go(publisher)
            ended = wait_for_alarm(self.plant, load.last_stream, load.last_ms)
            published(publisher)
        self.published += load.messages * load.readings
        return ended - began, cpu_s(self.plant.pid) - before

    def warm_up(self) -> None:
        """Wait until the service is subscribed, and fill its memories."""
        self.wait_until_ready(1)
        self.commit(self.load(8))

    def wait_until_ready(self, time: int) -> None:
        """Wait until the service is subscribed for the so-manieth time."""
        wait_until(lambda: self.plant.log.read_text().count("ready: subscribed") == time, "the service is ready", 60)

    def end(self) -> dict[str, float]:
        """Stop the service, and return what it has counted, and of its memory."""
        most = resident_mb(self.plant.pid, most=True)
        self.plant.end()
        return {"resident_mb": most, **counts(self.plant), "stored": self.plant.count("verdict")}


def per_message(site: Site, qos: int, rounds: int, repeats: int) -> dict[str, float]:
    """Measure the service in turn with mosquitto_sub on one reading a message."""
    bench, seconds, cpu, alone_s = Bench(site), 0.0, 0.0, 0.0
    try:
        bench.warm_up()
        for _ in range(repeats):
            load = bench.load(rounds, qos=qos)
            alone_s += subscribe_alone(site, replace(load, root=ALONE))
            took, used = bench.commit(load)
            seconds, cpu = seconds + took, cpu + used
        told = bench.end()
    finally:
        bench.plant.kill()
    messages = rounds * repeats * TOPICS
    name = f"qos{qos}"
    return {
        f"{name}_ratio": round(alone_s / seconds, 3),
        f"{name}_messages_per_s": round(messages / seconds),
        f"{name}_alone_per_s": round(messages / alone_s),
        f"{name}_cpu_us": round(1e6 * cpu / messages, 1),
        f"{name}_resident_mb": round(told["resident_mb"]),
        f"{name}_lost": bench.published - int(told["stored"]),
    }


def batched(site: Site, rounds: int, kept: str) -> dict[str, float]:
    """Measure the service on messages of 100 readings, with every verdict or only those of alarms stored."""
    name = {"all": "batched_readings", "alarms": "batched_alarms_only"}[kept]
    bench = Bench(site, history={"verdicts": kept})
    try:
        bench.warm_up()
        load = bench.load(rounds, readings=100)
        seconds, cpu = bench.commit(load)
        told = bench.end()
    finally:
        bench.plant.kill()
    readings = load.messages * load.readings
    return {
        f"{name}_per_s": round(readings / seconds),
        f"{name}_cpu_us": round(1e6 * cpu / readings, 2),
        f"{name}_resident_mb": round(told["resident_mb"]),
        f"{name}_lost": bench.published - int(told["stored"] if kept == "all" else told["fed"]),
    }


def many_streams(folder: Path) -> dict[str, float]:
    """Measure the memory of a service with 10,000 streams, and how long it takes to start with their states."""
    site = Site(folder, STREAMS)
    bench = Bench(site, topics=STREAMS)
    try:
        bench.warm_up()
        bench.plant.end()
        began = time.monotonic()
        bench.plant.start()
        bench.wait_until_ready(2)
        started = time.monotonic() - began
        bench.commit(bench.load(4))
        told = bench.end()
    finally:
        bench.plant.kill()
        site.close()
    return {"streams": STREAMS, "streams_resident_mb": round(told["resident_mb"]), "start_s": round(started, 2)}


def burst(site: Site, seconds: int) -> dict[str, float]:
    """Measure a burst of ten times RATE: the memory it takes, and how long its last reading waits."""
    bench = Bench(site)
    try:
        bench.warm_up()
        bench.commit(replace(bench.load(seconds // 2 or 1), rate=RATE))
        calm_mb = resident_mb(bench.plant.pid)
        load = replace(bench.load(10 * seconds), rate=10 * RATE)
        with site.publisher(load) as publisher:
            go(publisher)
            ended = published(publisher).ended
            late = wait_for_alarm(bench.plant, load.last_stream, load.last_ms) - ended
        bench.published += load.messages
        told = bench.end()
    finally:
        bench.plant.kill()
    return {
        "burst_s": seconds,
        "burst_more_mb": round(told["resident_mb"] - calm_mb),
        "burst_worked_off_s": round(late, 2),
        "burst_lost": bench.published - int(told["stored"]),
    }


def main() -> None:
    """Print the figures as a table, or as JSON."""
    short = "--short" in sys.argv[1:]
    rounds, repeats = (20, 2) if short else (100, 3)
    parts: dict[str, Callable[[Site], dict[str, float]]] = {
        "qos1": lambda site: per_message(site, 1, rounds, repeats),
        "qos0": lambda site: per_message(site, 0, 2 * rounds, repeats),
        "batched": lambda site: batched(site, rounds // 5, "all"),
        "alarms": lambda site: batched(site, rounds // 2, "alarms"),
        "burst": lambda site: burst(site, 5 if short else 60),
    }
    chosen = [name for name in (*parts, "streams") if name in sys.argv[1:]] or [*parts, "streams"]
    figures: dict[str, float] = {}
    with tempfile.TemporaryDirectory() as folder:
        site = Site(Path(folder), TOPICS)
        try:
            for name in [name for name in chosen if name in parts]:
                figures |= parts[name](site)
                print(name, "measured", file=sys.stderr)
        finally:
            site.close()
    if "streams" in chosen:
        with tempfile.TemporaryDirectory() as folder:
            figures |= many_streams(Path(folder))
    figures["lost"] = sum(value for name, value in figures.items() if name.endswith("_lost"))
    report(figures)


if __name__ == "__main__":
    main()
