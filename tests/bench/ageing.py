"""How long the steps of ageing hold the writer's thread up beside ingestion.

A database with two days of verdicts of 500 series, one a minute, of which one day is to be kept: so half of them are
due. Then, as the writer does it, sixteen transactions a second store a verdict of each series and its state, with a
step of ageing each.

    python -m tests.bench.ageing [--json] [--short]
"""

import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from service.storage.ageing import Ageing
from service.storage.history import HistorySettings
from service.storage.store import Store
from tests.bench.engine import report

SERIES, MINUTES = 500, 2 * 24 * 60
MINUTE_MS = 60_000
STATE = bytes(1700)  #: with an LSTM(32)
EVERY_S = 0.06  #: longer than ageing pauses between two steps
_INSERT = """INSERT INTO series_verdict (time, series, value, expected, lower, upper, score, status)
    VALUES (?, ?, 1.5, 1.25, -0.5, 3.0, 0.5, 1)"""


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        store = Store(Path(folder) / "foresense.db")
        store.open()
        fill(store)
        report(measure(store, 20 if "--short" in sys.argv[1:] else 60))
        store.close()


def fill(store: Store) -> None:
    """Store the verdicts of the two days."""
    with store.transaction():
        for stream in range(SERIES):
            store.db.execute("INSERT INTO stream VALUES (?, 'main', ?)", (stream, f"pump-{stream}"))
            store.db.execute("INSERT INTO series VALUES (?, ?, 'flow', 0)", (stream, stream))
    for minute in range(0, MINUTES, 10):
        with store.transaction():
            store.db.executemany(
                _INSERT, [(m * MINUTE_MS, s) for m in range(minute, minute + 10) for s in range(SERIES)]
            )


def measure(store: Store, seconds: float) -> dict[str, float]:
    """Take verdicts in and age the old ones for a time, and return the figures."""
    ageing = Ageing(store, HistorySettings(keep="1d"))
    with store.transaction():
        ageing.step(is_idle=False)
    steps: list[float] = []
    work: list[float] = []
    commits: list[float] = []
    minute, due, end = MINUTES, count(store), time.monotonic() + seconds
    while time.monotonic() < end:
        began = time.monotonic()
        with store.transaction():
            take_in(store, minute)
            before, cpu_before = time.monotonic(), time.thread_time()
            ageing.step(is_idle=False)
            steps.append(time.monotonic() - before)
            work.append(time.thread_time() - cpu_before)
        commits.append(time.monotonic() - began)
        minute += 1
        time.sleep(max(EVERY_S - (time.monotonic() - began), 0))
    aged = due + len(commits) * SERIES - count(store)
    return (
        {"rows_aged_per_s": round(aged / seconds)}
        | figures("step", steps)
        | figures("step_cpu", work)
        | figures("turn", commits)
    )


def take_in(store: Store, minute: int) -> None:
    store.db.executemany(_INSERT, [(minute * MINUTE_MS, stream) for stream in range(SERIES)])
    store.save_states([(stream, "pump/1", 1, STATE) for stream in range(SERIES)])


def figures(what: str, took_s: list[float]) -> dict[str, float]:
    """Return percentiles and the worst, in ms."""
    took = 1000 * np.array(took_s)
    return {
        f"{what}s": len(took),
        f"{what}_p50_ms": round(float(np.percentile(took, 50)), 1),
        f"{what}_p99_ms": round(float(np.percentile(took, 99)), 1),
        f"{what}_worst_ms": round(float(took.max()), 1),
    }


def count(store: Store) -> int:
    return int(store.db.execute("SELECT count(*) FROM series_verdict").fetchone()[0])


if __name__ == "__main__":
    main()
