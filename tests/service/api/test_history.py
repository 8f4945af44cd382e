import pytest

from edge.messages.stamp import iso
from tests.conftest import INTERVAL_MS
from tests.service.api.conftest import FIRST, SLOTS, SPIKE, Site


@pytest.fixture
def stream(site: Site) -> int:
    return site.stream("north/pump-1")


def test_every_slot_is_told_where_there_is_room(site: Site, stream: int) -> None:
    told = site.get(f"/v1/streams/{stream}/history", **{"from": FIRST, "to": FIRST + SLOTS * INTERVAL_MS})
    (channel,) = told["channels"]
    assert told["bucket_ms"] == INTERVAL_MS
    assert channel["time"] == [FIRST + slot * INTERVAL_MS for slot in range(SLOTS)]
    assert channel["min"] == channel["max"] == channel["mean"]
    assert channel["max"][SPIKE] == 100.0
    assert channel["lower"][SPIKE] < channel["expected"][SPIKE] < channel["upper"][SPIKE] < 100
    assert sum(channel["slots"]) == SLOTS
    assert (channel["channel"], channel["unit"]) == ("value", "l/s")
    assert [each["start"] for each in told["alarms"]] == [iso(FIRST + SPIKE * INTERVAL_MS)]


def test_a_spike_of_one_slot_stays_visible_however_long_the_time(site: Site, stream: int) -> None:
    told = site.get(
        f"/v1/streams/{stream}/history", **{"from": "1971-01-01", "to": "2099-01-01T00:00:00Z", "points": 10}
    )
    (channel,) = told["channels"]
    assert len(channel["time"]) == 10
    assert told["bucket_ms"] == 3 * INTERVAL_MS
    assert max(channel["max"]) == 100.0
    assert channel["min"][SPIKE // 3] < 1
    assert channel["mean"][SPIKE // 3] == pytest.approx((100.0 + 0.0 + 0.1) / 3)
    assert (sum(channel["slots"]), sum(channel["anomalies"])) == (SLOTS, 2)


def test_without_a_time_the_newest_day_is_told(site: Site, stream: int) -> None:
    told = site.get(f"/v1/streams/{stream}/history")
    assert told["channels"][0]["time"][-1] == FIRST + (SLOTS - 1) * INTERVAL_MS


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ({"from": "yesterday"}, "from: expected a time such as 2024-05-01T12:00:00Z, got 'yesterday'"),
        ({"from": "2026-01-02", "to": "2026-01-01"}, "from, to: expected a time and a later one"),
        ({"to": "nan"}, "to: expected a time"),
        ({"points": 1}, "points"),
    ],
)
def test_times_that_are_none_are_told_with_what_is_expected(
    site: Site, stream: int, query: dict[str, str], said: str
) -> None:
    answer = site.client.get(f"/v1/streams/{stream}/history", params=query)
    assert answer.status_code == 422
    assert said in answer.json()["detail"]
