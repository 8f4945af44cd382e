"""Verdicts as they are told: the same one by one and many at once, and JSON in any decoder."""

import json
from dataclasses import fields

import numpy as np
import pytest

from edge.engine import Engine
from edge.manifest import Channel
from edge.messages.verdict import verdict_documents
from edge.reading import Readings, Verdicts
from tests.conftest import INTERVAL_MS, START_MS, LastValue, manifest_of

SLOTS = 40


@pytest.fixture
def verdicts() -> Verdicts:
    engine = Engine(manifest_of(Channel("flow"), Channel("level"), streams=("a",)), LastValue(), 1e-3)
    engine.add(["a"])
    slot = np.repeat(np.arange(SLOTS), 2)
    value = np.where(slot == 30, 100.0, slot % 3 / 10)
    zeros = np.zeros(2 * SLOTS, np.int32)
    return engine.feed(
        Readings(zeros, np.tile(np.array([0, 1], np.int16), SLOTS), START_MS + slot * INTERVAL_MS, value)
    )


def test_one_by_one_they_are_what_they_are_together(verdicts: Verdicts) -> None:
    names = ["a"], ["flow", "level"]
    together = list(verdict_documents(verdicts, "main", "pump/1", *names))
    single = [
        next(verdict_documents(verdicts.take(slice(i, i + 1)), "main", "pump/1", *names)) for i in range(len(verdicts))
    ]
    assert together == single
    assert len(together) == SLOTS


def test_they_are_json_and_what_is_not_known_is_null(verdicts: Verdicts) -> None:
    told = [document for _, document in verdict_documents(verdicts, "main", "pump/1", ["a"], ["flow", "level"])]
    assert json.loads(json.dumps(told, allow_nan=False)) == told
    assert told[0]["status"] == "learning"
    assert told[0]["once_in"] is None
    assert told[30]["anomaly"]
    assert told[30]["alarm"] == told[30]["time"]
    assert told[30]["channels"]["flow"]["value"] == 100.0


def test_each_column_of_a_verdict_is_told(verdicts: Verdicts) -> None:
    _, document = next(verdict_documents(verdicts, "main", "pump/1", ["a"], ["flow", "level"]))
    told = document.keys() | document["channels"]["flow"].keys()
    assert {field.name for field in fields(Verdicts)} - told == {"change"}  # which the alarms tell
