from typing import Any

import pytest

from tests.conftest import INTERVAL_MS
from tests.service.api.conftest import FIRST, SLOTS, SPIKE, STREAMS, Site


def readings(spikes: tuple[int, ...] = ()) -> list[dict[str, Any]]:
    return [
        {"time": FIRST + slot * INTERVAL_MS, "value": 100.0 if slot in spikes else slot % 3 / 10}
        for slot in range(SLOTS)
    ]


def test_readings_are_scored_as_the_service_has_scored_them(site: Site) -> None:
    told = site.client.post(
        "/v1/score", json={"bundle": "pump", "stream": STREAMS[0], "readings": readings((SPIKE,))}
    ).json()
    assert told["bundle"] == "pump/1"
    assert len(told["verdicts"]) == SLOTS
    assert [at for at, each in enumerate(told["verdicts"]) if each["status"] == "anomaly"] == [SPIKE, SPIKE + 1]
    scores = [score for score in (each["score"] for each in told["verdicts"]) if score is not None]
    history = site.get(f"/v1/streams/{site.stream(STREAMS[0])}/history", **{"from": FIRST})["channels"][0]
    assert scores == pytest.approx([score for score in history["score"] if score is not None], rel=1e-6)


@pytest.mark.parametrize(
    ("change", "status", "said"),
    [
        ({"bundle": "none"}, 404, "expected a bundle, as /v1/bundles lists them, got 'none'"),
        ({"bundle": "../etc"}, 422, "bundle"),
        ({"budget": "often"}, 422, "budget: expected a rate"),
        ({"readings": []}, 422, "readings"),
        ({"readings": [{"time": FIRST, "value": 1, "channel": "heat"}]}, 422, "expected one of value, got 'heat'"),
        ({"readings": [{"time": -1, "value": 1}]}, 422, "readings.0.time"),
    ],
)
def test_what_cannot_be_scored_is_refused_with_what_is_expected(
    site: Site, change: dict[str, Any], status: int, said: str
) -> None:
    answer = site.client.post("/v1/score", json={"bundle": "pump", "readings": readings()} | change)
    assert answer.status_code == status
    assert said in answer.json()["detail"]


def test_infinity_is_no_value(site: Site) -> None:
    body = b'{"bundle": "pump", "readings": [{"time": 1700000000000, "value": Infinity}]}'
    answer = site.client.post("/v1/score", content=body, headers={"Content-Type": "application/json"})
    assert answer.status_code == 422
