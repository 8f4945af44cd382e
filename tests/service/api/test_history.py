import asyncio
import socket
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI

from edge.messages.stamp import iso
from service.api.app import build
from service.api.service_link import ServiceLink
from service.api.source import Source
from service.storage.ageing import HOUR_MS
from service.storage.store import Store
from service.storage.verdict_book import add_series, insert
from tests.conftest import INTERVAL_MS
from tests.service.api.conftest import FIRST, SLOTS, SPIKE, Site

YEAR_MS = 365 * 86_400_000


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


@pytest.fixture
def aged(database: Path, store: Store) -> Iterator[FastAPI]:
    """Return the application of a database of many series, with sums and a labelled slot of years before."""
    with store.transaction():
        streams = store.add_streams("main", [f"pump-{number}" for number in range(70)])
        series = add_series(store.db, streams, ["flow"])[:, 0].tolist()
        rows = [(FIRST, each, 2.0, 1.0, 0.5, 1.5, 0.5, 1) for each in series]
        rows.append((FIRST - 2 * YEAR_MS + 5000, series[0], 9.0, 1.0, 0.5, 1.5, 8.0, 2))
        insert(store.db, *map(list, zip(*rows, strict=True)))
        for hour in (FIRST - 2 * YEAR_MS, FIRST - 24 * HOUR_MS):
            sums = (hour // HOUR_MS * HOUR_MS, series[0], 3600, 3600, 3600 * 1.5, 1.0, 4.0, 3600, 3600.0, 0.9, 0)
            store.db.execute("INSERT INTO series_hour VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", sums)
    config = database.parent / "foresense.yaml"
    config.write_text("http: {}\nmonitors: {main: {topic: 'a/{b}', bundle: pump}}\n")
    source = Source(config)
    source.learn_streams()
    ours, theirs = socket.socketpair()
    with ours, theirs:
        link = ServiceLink(ours, source, lambda: None, lambda: None)
        yield build(source, link)


def test_years_of_sums_by_the_hour_are_told_beside_the_slots(aged: FastAPI) -> None:
    async def ask() -> httpx.Response:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(aged), base_url="http://localhost") as client:
            return await client.get("/v1/streams/1/history", params={"from": "2000-01-01", "points": 5000})

    answer = asyncio.run(ask())
    assert answer.status_code == 200, answer.text  # each second of two years, one by one, would take too long
    (channel,) = answer.json()["channels"]
    assert channel["slots"] == [3601, 3600, 1]
    assert channel["max"] == [9.0, 4.0, 2.0]
    assert channel["min"] == [1.0, 1.0, 2.0]
    assert channel["mean"] == pytest.approx([(3600 * 1.5 + 9) / 3601, 1.5, 2.0])
    assert channel["score"] == [8.0, 0.9, 0.5]
    assert channel["anomalies"] == [1, 0, 0]
