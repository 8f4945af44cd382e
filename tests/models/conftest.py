"""Synthetic recordings and one trained bundle that many tests share."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from edge.bundle import Bundle
from edge.manifest import Channel
from models.bundling import train_bundle
from models.data.recordings import Recording
from models.spec import ForecasterSpec, TrainingSpec

INTERVAL_MS = 600_000
FIRST = 2_833_488
MakeRecording = Callable[..., Recording]
TINY = ForecasterSpec(family="mlp", units=4, lookback=6)
BRIEF = TrainingSpec(epochs=4, stretch=16, learning_rate=0.02)
CHANNELS = (Channel("flow", "l/s"), Channel("heat"))


def recording(
    name: str = "pump-1", channels: tuple[str, ...] = ("flow",), slots: int = 400, seed: int = 0
) -> Recording:
    """Return slots of a daily cycle with correlated noise, different in each channel."""
    random = np.random.default_rng(seed)
    noise = random.normal(0, 0.1, (slots, len(channels)))
    noise[1:] += 0.5 * noise[:-1]
    cycle = np.sin(2 * np.pi * np.arange(slots)[:, None] / 144 + np.arange(len(channels)))
    return Recording(name, channels, INTERVAL_MS, FIRST, 20 + 3 * cycle + noise)


@pytest.fixture(scope="session")
def make_recording() -> MakeRecording:
    return recording


@pytest.fixture(scope="session")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    """Return a bundle for two streams of two channels."""
    recordings = [recording(name, ("flow", "heat"), seed=seed) for seed, name in enumerate(("pump-1", "pump-2"))]
    out: Path = tmp_path_factory.mktemp("trained")
    return train_bundle(recordings, TINY, BRIEF, name="pump", out=out, channels=CHANNELS, time_zone="Europe/Rome")
