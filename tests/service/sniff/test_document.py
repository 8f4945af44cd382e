from typing import Any

import pytest

from service.sniff.document import find_settings

TS = 1_700_000_000


@pytest.mark.parametrize(
    ("document", "expected"),
    [
        ({"value": 1}, {"value": "value"}),
        ({"v": 1.5, "ts": TS}, {"value": "v", "time": "ts"}),
        ({"data": {"flow": 1, "heat": 2}, "time": "2024-01-01T00:00:00Z"},
         {"fields": {"flow": "data.flow", "heat": "data.heat"}, "time": "time"}),
        ({"a": {"t": 1}, "b": {"t": 2}}, {"fields": {"a.t": "a.t", "b.t": "b.t"}}),
        ({"ts": [TS, TS + 1], "v": [1, 2]}, {"value": "v", "time": "ts"}),
        ({"ts": [TS, TS + 1], "v": [1, 2], "w": [1, None], "x": [1]},
         {"fields": {"v": "v", "w": "w"}, "time": "ts"}),
        ([{"ts": TS, "v": 1}, {"ts": TS + 1, "v": 2}], {"value": "v", "time": "ts"}),
        ({"r": [{"ts": TS, "v": 1}]}, {"value": "r.v", "time": "r.ts"}),
        ({"t0": TS, "dt": 0.1, "v": [1, 2]}, {"value": "v", "time": "t0", "step": "dt"}),
        ({"xyz": [1, 2]}, {"fields": {"xyz.0": "xyz.0", "xyz.1": "xyz.1"}}),
        ({"value": 1, "id": 7, "seq": 3}, {"value": "value"}),
        ({"value": 1, "ts": 17}, {"fields": {"value": "value", "ts": "ts"}}),
        ({"value": True, "state": "ON", "none": None}, {}),
        ({}, {}), ([], {}), ("x", {}), (1, {}), ([1, 2], {}), ([[{"v": 1}]], {}),
    ],
)  # fmt: skip
def test_values_and_time_of_a_document_are_found(document: Any, expected: dict[str, Any]) -> None:
    assert find_settings(document) == expected
