import json
from dataclasses import replace
from pathlib import Path

import pytest

from edge.agreement import Agreement
from edge.bundle import Bundle, read_bundle
from edge.golden import self_test
from models.bundling import train_bundle
from models.tflite.account import told_of
from models.tflite.trial import Trial, Tried
from tests.models.conftest import BRIEF, TINY, recording

GOOD = Agreement(slots=1000, same_side=0.999, alarms=2, missed=0)
DEAF = replace(GOOD, missed=1)
COARSE = replace(GOOD, same_side=0.99)


def test_the_first_kind_that_agrees_is_shipped() -> None:
    trial = Trial((Tried("full", b"a", COARSE, GOOD), Tried("dynamic range", b"b", GOOD, GOOD)))
    assert trial.files == {"step.int8.tflite": b"b"}
    assert trial.facts()["shipped"] == "dynamic range"


@pytest.mark.parametrize(("held_out", "golden"), [(COARSE, GOOD), (DEAF, GOOD), (GOOD, DEAF)])
def test_what_misses_an_alarm_or_too_many_slots_is_not_shipped(held_out: Agreement, golden: Agreement) -> None:
    trial = Trial((Tried("full", b"a", held_out, golden),))
    assert trial.files == {}
    assert trial.facts()["shipped"] is None


def test_golden_readings_may_differ_in_a_few_more_slots() -> None:
    assert Tried("full", b"a", GOOD, COARSE).holds
    assert not Tried("full", b"a", GOOD, replace(GOOD, same_side=0.97)).holds


def test_what_was_tried_is_told_with_its_agreement(trained: Bundle) -> None:
    trial = Trial(
        (Tried("full", refused="the converter was ended by signal 11"), Tried("dynamic range", b"b", DEAF, GOOD))
    )
    manifest = replace(trained.manifest, exports={"int8": json.loads(json.dumps(trial.facts()))})
    assert told_of(manifest) == [
        ("int8, full", "the converter was ended by signal 11; not shipped: it needs 99.5% and no alarm missed"),
        (
            "int8, dynamic range",
            "1 bytes; held out: 99.90% of 1000 slots on the same side of the limit, 1 of 2 alarms missed; "
            "golden readings: 99.90% of 1000 slots on the same side of the limit, 0 of 2 alarms missed; "
            "not shipped: it needs 99.5% and no alarm missed",
        ),
    ]


def test_nothing_is_told_of_a_bundle_as_usual(trained: Bundle) -> None:
    assert "FULLY_CONNECTED" in trained.manifest.exports["tflite"]["operators"]
    assert told_of(trained.manifest) == []


@pytest.mark.slow
def test_a_bundle_tells_what_became_of_int8_and_carries_it_if_it_agrees(tmp_path: Path) -> None:
    bundle = read_bundle(train_bundle([recording()], TINY, BRIEF, name="pump", out=tmp_path, int8=True).path)
    told = bundle.manifest.exports["int8"]
    assert next(iter(told["tried"])) == "full"
    assert told["tried"]["full"]["held_out"]["slots"] == 100
    assert (told["shipped"] is not None) == ("step.int8.tflite" in bundle.files)
    if told["shipped"]:
        assert self_test(bundle, "litert-int8") > 100
