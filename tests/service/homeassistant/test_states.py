import json
import math
from pathlib import Path

import numpy as np
import pytest

from service.homeassistant.device import place_of
from service.homeassistant.facts import Facts
from service.homeassistant.states import States
from service.pipeline.monitor import Monitor
from service.pipeline.transaction import Scored
from service.storage.store import Store
from tests.service.conftest import MakeMonitor
from tests.service.homeassistant.test_facts import alarm
from tests.service.relays.conftest import verdicts_of

KEY, NAMES = ("main", "a"), ["a"]


@pytest.fixture
def monitor(make_monitor: MakeMonitor) -> Monitor:
    return make_monitor(bundle={"channels": ("flow", "heat")})


def scored(monitor: Monitor, score: float, flow: float, heat: float, quality: int = 0) -> Scored:
    said = verdicts_of(
        [1000], 2, score=np.array([score], np.float32), expected=np.array([[flow, heat]]),
        quality=np.full((1, 2), quality, np.uint8),
    )  # fmt: skip
    return Scored("main", "pump/1", NAMES, monitor.channels, said)


def test_a_state_has_all_places_also_before_anything_was_said(store: Store, database: Path, monitor: Monitor) -> None:
    assert store is not None
    states = States(Facts(database), 30)
    assert json.loads(states.body(KEY, monitor, 0)) == {
        "problem": "OFF", "score": None, "bundle": "pump/1", "mute": "OFF", "alarm": {},
        place_of("flow"): None, place_of("heat"): None,
    }  # fmt: skip
    assert states.availability(KEY) == b"online"


def test_numbers_are_told_in_six_digits_and_what_is_not_known_as_null(
    store: Store, database: Path, monitor: Monitor
) -> None:
    with store.transaction():
        store.add_streams("main", ["a"])
        store.open_alarm(alarm("one", 1, 1000, 1000))
    facts = Facts(database)
    facts.look()
    states = States(facts, 30)
    assert states.take(scored(monitor, 0.1, 1 / 3, math.nan)) == []
    assert list(states.due(100)) == [KEY]
    told = json.loads(states.body(KEY, monitor, 100))
    assert (told["score"], told[place_of("flow")], told[place_of("heat")]) == (0.1, 0.333333, None)
    assert (told["problem"], told["alarm"]["id"], told["alarm"]["start"]) == ("ON", "one", "1970-01-01T00:00:01.000Z")
    states.take(scored(monitor, 0.2, 1, 1))
    assert (list(states.due(129)), list(states.due(130))) == ([], [KEY])


def test_a_silent_stream_is_not_available(store: Store, database: Path, monitor: Monitor) -> None:
    assert store is not None
    states = States(Facts(database), 30)
    states.take(scored(monitor, math.nan, 1, 1))
    assert states.take(scored(monitor, math.nan, 1, 1, quality=1)) == [KEY]
    assert states.availability(KEY) == b"offline"
