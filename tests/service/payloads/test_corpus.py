"""Every line of the corpus of what sensors really send comes to its expected fate, in every convention."""

import json
from pathlib import Path
from typing import Any

import pytest

from service.pipeline.intake import Intake
from service.pipeline.source import CONVENTIONS
from tests.service.conftest import RECEIVED_MS, MakeBench, MakeMonitor, message
from tests.service.payloads.corpus.forms import (
    FORMS,
    TIMED,
    fate,
    outcome_of_time,
    outcome_of_value,
    payload_of,
    written,
)

FOLDER = Path(__file__).parent / "corpus"
Case = dict[str, Any]


def cases(name: str) -> list[Any]:
    lines = (FOLDER / f"{name}.jsonl").read_text().splitlines()
    return [pytest.param(case, id=case["name"]) for case in map(json.loads, lines)]


@pytest.mark.parametrize("case", cases("values"))
def test_each_value_comes_to_its_fate_in_each_convention(case: Case) -> None:
    assert case["fate"] == {convention: outcome_of_value(convention, case) for convention in FORMS}


@pytest.mark.parametrize("case", cases("times"))
def test_each_time_comes_to_its_fate_in_each_convention(case: Case) -> None:
    assert case["fate"] == {convention: outcome_of_time(convention, case) for convention in TIMED}


@pytest.mark.parametrize("case", cases("messages"))
def test_each_message_comes_to_its_fate_in_each_convention(case: Case) -> None:
    assert case["fate"] == {convention: fate(convention, payload_of(case)) for convention in CONVENTIONS}


@pytest.mark.parametrize("case", cases("topics"))
def test_each_topic_comes_to_its_fate(case: Case, make_monitor: MakeMonitor) -> None:
    monitor = make_monitor(bundle={"channels": ("flow",)})
    result = Intake([monitor]).sort([message(written(case["topic"]))])
    came_to: list[Any] = [letter.reason for letter in result.letters]
    for _, columns in result.readings:
        came_to += [[monitor.names[row], "flow"] for row in columns.row]
    assert came_to == [case["fate"]]


@pytest.mark.parametrize("case", cases("sequences"))
def test_each_sequence_comes_to_its_counts(case: Case, make_bench: MakeBench, make_monitor: MakeMonitor) -> None:
    settings = {key: case[key] for key in ("lateness_s", "max_streams") if key in case}
    bench = make_bench(make_monitor(payload="json", time="ts", **settings))
    for after_s, payload, *other in case["messages"]:
        retain, device = other + [False, "a"][len(other) :]
        bench.take([message(f"plant/{device}/value", payload.encode(), RECEIVED_MS + 1000 * after_s, retain=retain)])
    bench.stop()
    assert {name: getattr(bench.counters, name) for name in case["counts"]} == case["counts"]
    assert dict(bench.counters.rejects) == case.get("rejects", {})
    assert bench.counters.balanced(0)
    if "values" in case:
        stored = bench.query("SELECT value FROM verdict ORDER BY time")
        assert [value for (value,) in stored][: len(case["values"])] == case["values"]
