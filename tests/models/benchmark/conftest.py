"""Tiny data in the layouts of the boards' repositories."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray

MakeBoard = Callable[..., Path]
ROWS = 800
JUMP = 700  #: where a fault begins


def signal(seed: int = 0, rows: int = ROWS, channels: int = 1) -> NDArray[np.float64]:
    """Return a cycle with noise (rows, channels) that jumps once."""
    random = np.random.default_rng(seed)
    values = np.sin(2 * np.pi * np.arange(rows)[:, None] / 50 + np.arange(channels)) + random.normal(
        0, 0.1, (rows, channels)
    )
    values[JUMP : JUMP + 20] += 6
    return values.round(6)


def stamps(rows: int, every: str) -> pd.DatetimeIndex:
    return pd.date_range("2020-03-09 10:00:00", periods=rows, freq=every)


@pytest.fixture
def nab(tmp_path: Path) -> Path:
    """Return a NAB folder of two series."""
    for seed, name in enumerate(("one", "two")):
        path = tmp_path / "nab" / "data" / "realMade" / f"{name}.csv"
        path.parent.mkdir(parents=True, exist_ok=True)
        pd.DataFrame({"timestamp": stamps(ROWS, "5min"), "value": signal(seed)[:, 0]}).to_csv(path, index=False)
    return tmp_path / "nab"


@pytest.fixture
def skab(tmp_path: Path) -> Path:
    """Return a SKAB folder of one series, with labels."""
    path = tmp_path / "skab" / "valve1" / "0.csv"
    path.parent.mkdir(parents=True)
    table = pd.DataFrame(signal(channels=8), columns=[f"sensor {number}" for number in range(8)])
    table.insert(0, "datetime", stamps(ROWS, "1s"))
    table["anomaly"], table["changepoint"] = (table.index >= JUMP) * 1.0, (table.index == JUMP) * 1.0
    table.to_csv(path, sep=";", index=False)
    return tmp_path / "skab"


@pytest.fixture
def smap(tmp_path: Path) -> Path:
    """Return a folder of one channel of SMAP, 400 rows to learn from and 400 to judge."""
    for part, rows in (("train", slice(0, 400)), ("test", slice(400, ROWS))):
        path = tmp_path / "smap" / "SMAP" / f"P-1_{part}.csv"
        path.parent.mkdir(parents=True, exist_ok=True)
        table = pd.DataFrame({"t": range(400), "value": signal()[rows, 0], "c1": 0, "label": 0})
        table.to_csv(path, index=False)
    return tmp_path / "smap"


@pytest.fixture
def ucr(tmp_path: Path) -> Path:
    """Return a UCR folder of one series, as a table with labels."""
    path = tmp_path / "ucr" / "004_UCR_Anomaly_made1_400_700_720.csv"
    path.parent.mkdir()
    pd.DataFrame({"value": signal()[:, 0], "label": (np.arange(ROWS) >= JUMP) * 1}).to_csv(path, index=False)
    return tmp_path / "ucr"
