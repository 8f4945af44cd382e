import io
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from service.notifications.artist import Artist
from service.notifications.episode import BEFORE, MOST, read_episode
from service.storage.store import Store
from tests.conftest import INTERVAL_MS
from tests.service.conftest import FIRST, MakeMonitor
from tests.service.notifications.conftest import START, add_verdicts


def subject(**more: Any) -> dict[str, Any]:
    known = {"monitor": "main", "stream": "$\\frac{<img>", "channel": "value", "start": "2023-11-14T22:16:40Z"}
    return known | {"end": None, "interval_ms": INTERVAL_MS, "unit": "m3/h"} | more


def test_an_episode_is_what_was_before_an_alarm_and_what_came_since(
    store: Store, database: Path, make_monitor: MakeMonitor
) -> None:
    add_verdicts(store, make_monitor(), "$\\frac{<img>", 600)
    episode = read_episode(database, subject(start="2023-11-14T22:46:40Z", end="2023-11-14T22:50:00Z"), "UTC")
    assert episode is not None
    assert len(episode.time) == MOST
    assert episode.time[BEFORE] == episode.start == START + 180 * INTERVAL_MS
    assert np.diff(episode.time).tolist() == [INTERVAL_MS] * (MOST - 1)
    early = read_episode(database, subject(), "UTC")
    assert early is not None
    assert (early.time[0], early.start, early.end) == (FIRST, START, None)


def test_where_hardly_anything_is_stored_there_is_no_picture(
    store: Store, database: Path, make_monitor: MakeMonitor
) -> None:
    add_verdicts(store, make_monitor(), "$\\frac{<img>", 1)
    assert Artist(database, "UTC").draw(subject()) is None
    assert Artist(database, "UTC").draw(subject(stream="unknown")) is None
    assert Artist(database.with_name("none"), "UTC").draw(subject()) is None


@pytest.mark.slow
def test_a_picture_has_the_colours_of_value_band_and_alarm_whatever_the_names(
    store: Store, database: Path, make_monitor: MakeMonitor
) -> None:
    add_verdicts(store, make_monitor(), "$\\frac{<img>", 60)
    picture = Artist(database, "Europe/Rome").draw(subject(end="2023-11-14T22:20:00Z"))
    assert picture is not None
    with Image.open(io.BytesIO(picture)) as image:
        pixels = np.array(image.convert("RGB")).reshape(-1, 3).astype(int)

    def has(red: int, green: int, blue: int) -> bool:
        return bool((np.abs(pixels - [red, green, blue]).max(axis=1) < 12).sum() > 50)

    assert has(0x1B, 0x49, 0x65)  # the value
    assert has(0xB8, 0xDE, 0xE7)  # the band
    assert has(0xF5, 0xD9, 0xDC)  # the alarm


def test_a_picture_that_cannot_be_drawn_is_missed_and_logged(
    store: Store, database: Path, make_monitor: MakeMonitor, monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:  # fmt: skip
    add_verdicts(store, make_monitor(), "$\\frac{<img>", 60)
    for program, said in (("raise ValueError('no ink')", "no ink"), ("import time; time.sleep(60)", "timed out")):
        monkeypatch.setattr("service.notifications.artist._COMMAND", [sys.executable, "-c", program])
        monkeypatch.setattr("service.notifications.artist._TIMEOUT_S", 2)
        assert Artist(database, "UTC").draw(subject()) is None
        assert said in caplog.text
