"""The same readings give the same verdicts, to the byte, from the service over MQTT and from `foresense detect`."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from edge.bundle import Bundle
from tests.conftest import INTERVAL_MS, START_MS, MakeBundle
from tests.system.conftest import Broker, MakePlant, World, wait_until

FIRST = START_MS // INTERVAL_MS * INTERVAL_MS
SLOTS = 400
KNOWN, NEW = "north/pump-1", 'south/hall 1,"west"'
POLICY = {"k": 2, "n": 3, "recovery": 4, "cool_down": 5}
BUDGET = "3 per day"


def recording(channels: tuple[str, ...]) -> pd.DataFrame:
    """Return irregular readings of two streams, with spikes, faults that last, repeated slots and gaps.

    Rows are in order of time, as devices would publish them: streams come in turn, not one after the other.
    """
    random = np.random.default_rng(5)
    frames = []
    for number, stream in enumerate((KNOWN, NEW)):
        time = FIRST + np.sort(random.integers(0, SLOTS * INTERVAL_MS, int(1.3 * SLOTS)))
        slot = (time - FIRST) // INTERVAL_MS
        values = 20 + 3 * np.sin(slot[:, None] / 20 + np.arange(len(channels))) + random.normal(0, 0.2, (len(time), 1))
        values[(slot >= 150 + 9 * number) & (slot < 165), 0] += 40
        values[random.random(len(time)) < 0.02] *= 1e3
        values[random.random(values.shape) < 0.1] = np.nan
        frame = pd.DataFrame(values, columns=list(channels)).assign(time=time, device=stream)
        frames.append(frame[(slot < 250) | (slot >= 270)].dropna(how="all", subset=list(channels)))
    return pd.concat(frames).sort_values("time", kind="stable", ignore_index=True)


def messages(frame: pd.DataFrame, root: str, channels: tuple[str, ...]) -> Iterator[tuple[str, bytes | str]]:
    """Yield each row of the file as one message."""
    for row in frame.to_dict("records"):
        values = {name: row[name] for name in channels if not np.isnan(row[name])}
        yield f"{root}/{row['device']}", json.dumps({"ts": row["time"], "values": values})


def foresense(*words: object) -> None:
    subprocess.run([str(Path(sys.executable).with_name("foresense")), *map(str, words)], check=True, timeout=60)


@pytest.fixture(params=["one channel", "three channels", "trained", "learns while it serves"])
def bundle(request: pytest.FixtureRequest, make_bundle: MakeBundle, tmp_path: Path) -> Bundle:
    """Return bundles that are made, and two trained ones with a network's arithmetic and calendar inputs."""
    if request.param == "one channel":
        return make_bundle(streams=(KNOWN,))
    if request.param == "three channels":
        return make_bundle(channels=("speed", "flow", "heat"), streams=(KNOWN,))
    from models.bundling import train_bundle
    from models.data.recordings import Recording
    from models.spec import ForecasterSpec, TrainingSpec

    cycle = 20 + 3 * np.sin(np.arange(600)[:, None] / 20 + np.arange(2))
    values = cycle + np.random.default_rng(1).normal(0, 0.2, (600, 2))
    learnt = Recording(KNOWN, ("flow", "heat"), INTERVAL_MS, FIRST // INTERVAL_MS - 600, values)
    if request.param == "trained":
        spec = ForecasterSpec(family="lstm", units=7, lookback=5, head="gaussian")
    else:
        spec = ForecasterSpec(family="adaline", lookback=5)
    out = tmp_path / "bundles"
    return train_bundle([learnt], spec, TrainingSpec(epochs=3), name="pump", out=out, time_zone="Europe/Rome")


@pytest.mark.slow
def test_the_service_and_detect_write_the_same_bytes(
    bundle: Bundle, broker: Broker, world: World, make_plant: MakePlant, tmp_path: Path
) -> None:
    channels = tuple(channel.name for channel in bundle.manifest.channels)
    frame = recording(channels)
    readings, detected, served = (tmp_path / name for name in ("readings.csv", "detected.csv", "served.csv"))
    frame.to_csv(readings, index=False)
    policy = [word for name, value in POLICY.items() for word in ("--alarm", f"{name}={value}")]
    options = ("--device", "device", "--budget", BUDGET, *policy, "--out", detected)
    foresense("detect", readings, "--bundle", bundle.path, *options)
    rows = len(detected.read_text().splitlines()) - 1

    name = f"equal-{'-'.join(channels)}-{bundle.manifest.spec['family']}"
    settings: dict[str, Any] = {
        "topic": f"{name}/{{site}}/{{device}}",
        "payload": "json",
        "fields": {channel: f"values.{channel}" for channel in channels},
        "time": "ts",
        "bundle": "pump",
        "budget": BUDGET,
        "alarm": POLICY,
    }
    plant = make_plant(broker, name, bundle.path.parents[1], {"main": settings})
    world.listen(plant.availability)
    plant.start()
    world.wait_for(plant.availability, b"online")
    world.publish(messages(frame, name, channels))
    wait_until(lambda: plant.count("verdict") >= rows, "all verdicts")
    assert plant.end() == 0
    foresense("verdicts", plant.database, "--out", served)

    text = detected.read_text()
    assert served.read_bytes() == detected.read_bytes()
    assert {status for status in ("learning", "normal", "anomaly") if f",{status}," in text} == {
        "learning", "normal", "anomaly"
    }  # fmt: skip
    assert len({line.rsplit(",", 3)[1] for line in text.splitlines()[1:]}) > 3, "expected several alarms"
    assert plant.count("alarm") > 0
    assert plant.count("dead_letter") == 0
