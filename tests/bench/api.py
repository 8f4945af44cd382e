"""What dashboard and API cost: answers while readings flow in, and what they take from the readings.

10,000 streams and 5,000 readings a second, every verdict stored; one client asks for the overview by pages, a stream,
its history, alarms and status, 20 requests a second, and another listens to events. The same load with and without
HTTP, in turn, tells what a reading costs the service's own process; and then both, unasked, as fast as they can.

    python tests/bench/api.py [--json] [--short]
"""

import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from threading import Event, Thread

import httpx

from tests.bench.engine import report
from tests.bench.load.site import Site
from tests.bench.service import STREAMS, Bench
from tests.system.conftest import free_port

RATE, REQUESTS = 5000.0, 20.0  # a second


class Client:
    """Asks 20 times a second, in turn for each thing that pages ask for."""

    def __init__(self, port: int) -> None:
        self._client = httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=30)
        self.took_s: dict[str, list[float]] = {}

    def run(self, is_over: Event) -> None:
        """Ask until it is over."""
        begun, number = time.monotonic(), 0
        streams = [each["id"] for each in self._client.get("/v1/streams").json()["streams"]]
        paths = [
            "/v1/streams?sort=-score&limit=100",
            f"/v1/streams/{streams[0]}",
            f"/v1/streams/{streams[1]}/history?points=600",
            "/v1/alarms?limit=50",
            "/v1/streams?search=9&offset=100&limit=100",
            "/v1/status",
        ]
        with self._client.stream("GET", "/v1/events", params={"streams": streams[0], "kinds": ["alarm", "state"]}):
            while not is_over.wait(max(begun + number / REQUESTS - time.monotonic(), 0)):
                path = paths[number % len(paths)]
                began = time.monotonic()
                answer = self._client.get(path)
                assert answer.status_code == 200, answer.text
                self.took_s.setdefault(path.partition("?")[0], []).append(time.monotonic() - began)
                number += 1

    @contextmanager
    def asking(self) -> Iterator[None]:
        """Ask meanwhile."""
        is_over = Event()
        thread = Thread(target=self.run, args=(is_over,))
        thread.start()
        try:
            yield
        finally:
            is_over.set()
            thread.join()


class _Side:
    """One of the two services, and what its loads took."""

    def __init__(self, site: Site, *, answers: bool) -> None:
        port, self._root = free_port(), "asked" if answers else "alone"
        monitor = {"topic": f"{self._root}/{{sensor}}", "payload": "json", "time": "ts", "bundle": "bench"}
        http = {"http": {"port": port}} if answers else {}
        self._bench = Bench(site, STREAMS, self._root, monitors={"main": monitor}, **http)
        self.client = Client(port) if answers else None
        self.cpu_s: list[float] = []
        self.wall_s: list[float] = []

    def begin(self) -> None:
        """Fill the memories."""
        self._bench.warm_up()

    def take(self, rounds: int, rate: float) -> None:
        """Commit a load, and note what a reading of it took."""
        load = replace(self._bench.load(rounds), rate=rate)
        if self.client is None or not rate:
            wall_s, cpu_s = self._bench.commit(load)
        else:
            with self.client.asking():
                wall_s, cpu_s = self._bench.commit(load)
        if rate:
            self.cpu_s.append(cpu_s / load.messages)
        else:
            self.wall_s.append(wall_s / load.messages)

    def end(self) -> None:
        """Stop the service."""
        self._bench.plant.kill()


def measure(site: Site, rounds: int, repeats: int) -> dict[str, float]:
    """Return what was measured; both services run in turn, the other one idle."""
    sides = {answers: _Side(site, answers=answers) for answers in (False, True)}
    try:
        for side in sides.values():
            side.begin()
        for _ in range(repeats):
            for rate in (RATE, 0.0):
                for side in sides.values():
                    side.take(rounds, rate)
    finally:
        for side in sides.values():
            side.end()
    plain, http = sides[False], sides[True]
    assert http.client is not None
    took = sorted(1000 * each for times in http.client.took_s.values() for each in times)
    figures = {
        "requests": len(took),
        "median_ms": round(statistics.median(took), 1),
        "p95_ms": round(took[int(0.95 * len(took))], 1),
        "longest_ms": round(took[-1], 1),
        "cpu_us_per_reading_alone": round(1e6 * statistics.median(plain.cpu_s), 1),
        "cpu_us_per_reading_with_http": round(1e6 * statistics.median(http.cpu_s), 1),
        "readings_per_s_alone": round(1 / statistics.median(plain.wall_s)),
        "readings_per_s_with_http": round(1 / statistics.median(http.wall_s)),
    }
    for path, times in http.client.took_s.items():
        figures[f"p95_ms {path}"] = round(1000 * sorted(times)[int(0.95 * len(times))], 1)
    return figures


def main() -> None:
    """Print the figures as a table, or as JSON."""
    short = "--short" in sys.argv[1:]
    with tempfile.TemporaryDirectory() as folder:
        site = Site(Path(folder), STREAMS)
        try:
            report(measure(site, 4 if short else 12, 2 if short else 5))
        finally:
            site.close()


if __name__ == "__main__":
    main()
