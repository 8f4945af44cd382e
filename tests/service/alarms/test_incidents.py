"""Incidents with a real database: which alarms are one, and what the world is told."""

from collections.abc import Mapping, Sequence
from itertools import chain
from pathlib import Path

import pytest

from edge.inbox import Message
from service.alarms.incidents import incident_id
from service.alarms.maintenance import MaintenanceSettings
from service.settings import IncidentSettings
from tests.conftest import INTERVAL_MS
from tests.service.conftest import FIRST, MakeBench, MakeMonitor, readings
from tests.system.conftest import wait_until

STREAMS = ("a", "b", "c", "d", "e", "f")
TOGETHER = IncidentSettings(streams=3, within="2min")  # 12 slots
ALARMS = (
    """SELECT name, incident IS NOT NULL, told FROM alarm JOIN stream ON stream.id = stream ORDER BY name, "start" """
)


def plant(spikes: Mapping[str, Sequence[int]], slots: int = 40) -> list[Message]:
    """Return readings of all streams in order of time, each with spikes at slots of its own."""
    each = [readings(range(slots), spikes.get(stream, ()), stream) for stream in STREAMS]
    return list(chain.from_iterable(zip(*each, strict=True)))


def test_alarms_of_enough_streams_within_the_time_are_one_incident(
    make_bench: MakeBench, make_monitor: MakeMonitor
) -> None:
    bench = make_bench(make_monitor(payload="json", time="ts", bundle={"streams": STREAMS}), incident=TOGETHER)
    bench.take(plant({"a": [20], "b": [22], "c": [25]}))
    bench.stop()

    opened, closed = bench.told("incident")
    assert (opened["state"], opened["site"], opened["alarms"], opened["streams"]) == ("opened", "plant", 3, 3)
    assert [(each["stream"], each["channel"]) for each in opened["members"]] == [(s, "value") for s in "abc"]
    assert opened["explanation"] == (
        "3 streams of plant have raised alarms since 2023-11-14T22:16:40.000Z: a (value), b (value), c (value)"
    )
    assert (closed["id"], closed["state"], closed["end"]) == (opened["id"], "closed", closed["members"][2]["end"])
    assert bench.query("SELECT id, site, alarms, told FROM incident") == [
        (incident_id("plant", FIRST + 20 * INTERVAL_MS), "plant", 3, 3)
    ]


@pytest.mark.parametrize(
    "spikes",
    [{"a": [20], "b": [20]}, {"a": [10], "b": [20], "c": [30]}, {"a": [10, 30], "b": [30]}],
    ids=["too few", "too far apart", "one stream twice"],
)
def test_other_alarms_are_told_one_by_one(
    make_bench: MakeBench, make_monitor: MakeMonitor, spikes: dict[str, list[int]]
) -> None:
    bench = make_bench(make_monitor(payload="json", time="ts", bundle={"streams": STREAMS}), incident=TOGETHER)
    bench.take(plant(spikes, 45))
    bench.stop()

    assert bench.told("incident") == []
    assert len(bench.told()) == 2 * sum(map(len, spikes.values()))


def test_what_was_told_before_it_began_is_told_to_its_end_and_what_joins_is_not(
    make_bench: MakeBench, make_monitor: MakeMonitor
) -> None:
    messages = plant({"a": [20], "b": [22], "c": [24], "d": [26]})
    monitor = make_monitor(payload="json", time="ts", bundle={"streams": STREAMS})
    for batch in (messages[: 23 * 6], messages[23 * 6 :]):  # a and b are told before c makes it an incident
        bench = make_bench(monitor, incident=TOGETHER)
        bench.take(batch)
        bench.stop()

    assert bench.query(ALARMS) == [("a", 1, 1), ("b", 1, 1), ("c", 1, 0), ("d", 1, 0)]
    assert [(told["stream"], told["state"]) for told in bench.told()] == [
        ("a", "opened"), ("b", "opened"), ("a", "closed"), ("b", "closed"),
    ]  # fmt: skip
    assert bench.told()[2]["incident"] == bench.told("incident")[0]["id"]


def test_an_incident_that_has_doubled_is_told_again(make_bench: MakeBench, make_monitor: MakeMonitor) -> None:
    messages = plant({"a": [20], "b": [20], "c": [20], "d": [22], "e": [23], "f": [24]})
    monitor = make_monitor(payload="json", time="ts", bundle={"streams": STREAMS})
    for first, last in ((0, 21), (21, 23), (23, 25), (25, 40)):
        bench = make_bench(monitor, incident=TOGETHER)
        bench.take(messages[first * 6 : last * 6])
        bench.stop()

    assert [(told["state"], told["alarms"]) for told in bench.told("incident")] == [
        ("opened", 3), ("grown", 6), ("closed", 6),
    ]  # fmt: skip
    assert bench.told() == []


@pytest.mark.parametrize("size", [5, 70, 330])
def test_the_incident_is_the_same_whatever_the_batches_and_when_all_comes_again(
    make_bench: MakeBench, make_monitor: MakeMonitor, size: int
) -> None:
    messages = plant({"a": [10], "b": [20, 45], "c": [25], "d": [25], "e": [31]}, 55)
    bench = make_bench(make_monitor(payload="json", time="ts", bundle={"streams": STREAMS}), incident=TOGETHER)
    for _ in range(2):
        for start in range(0, len(messages), size):
            bench.take(messages[start : start + size])
            wait_until(lambda: not bench.inbox.in_flight, "the batch is committed")
    bench.stop()

    assert bench.query('SELECT id, ("start" - 1) / 10000, ("end" - 1) / 10000, alarms FROM incident') == [
        (incident_id("plant", FIRST + 20 * INTERVAL_MS), FIRST // INTERVAL_MS + 19, FIRST // INTERVAL_MS + 37, 4)
    ]
    assert [joined for _, joined, _ in bench.query(ALARMS)] == [0, 1, 0, 1, 1, 1]


def test_streams_of_two_sites_have_nothing_to_do_with_each_other_and_those_of_two_monitors_have(
    make_bench: MakeBench, make_monitor: MakeMonitor
) -> None:
    def of(site: str, name: str) -> object:
        topic = f"{name}/{{device}}/{{channel}}"
        return make_monitor(topic, {"name": name, "streams": STREAMS}, name, payload="json", time="ts", site=site)

    messages = plant({stream: [20] for stream in STREAMS})
    named = [
        m._replace(topic=m.topic.replace("plant/", f"{root}/"))
        for m in messages
        for root, streams in (("pumps", "ab"), ("fans", "c"), ("mills", "de"))
        if m.topic.split("/")[1] in streams
    ]
    bench = make_bench(of("north", "pumps"), of("north", "fans"), of("south", "mills"), incident=TOGETHER)
    bench.take(named)
    bench.stop()

    assert bench.query("SELECT site, alarms FROM incident") == [("north", 3)]
    assert bench.query("SELECT DISTINCT stream FROM outbox WHERE kind = 'incident'") == [("north",)]
    assert {told["monitor"] for told in bench.told()} == {"mills"}


def test_a_lone_alarm_long_after_the_others_is_told_though_theirs_are_open(
    make_bench: MakeBench, make_monitor: MakeMonitor
) -> None:
    monitor = make_monitor(payload="json", time="ts", bundle={"streams": STREAMS})
    bench = make_bench(monitor, incident=TOGETHER)
    spikes = {"a": range(20, 60, 2), "b": [20], "c": [20], "d": [45]}  # a flips to and fro: its alarm stays open
    bench.take(plant(spikes, 60))
    bench.stop()

    assert [(told["stream"], told["state"]) for told in bench.told()] == [("d", "opened"), ("d", "closed")]
    assert bench.query("SELECT alarms FROM incident") == [(3,)]


def test_where_the_budget_explains_many_alarms_at_once_they_are_no_incident(
    make_bench: MakeBench, make_monitor: MakeMonitor
) -> None:
    often = make_monitor(payload="json", time="ts", bundle={"streams": STREAMS}, budget="10 per hour")
    bench = make_bench(often, incident=TOGETHER)  # 2 by chance in 2 min; 8 are none
    bench.take(plant({"a": [20], "b": [20], "c": [20], "d": [22]}))
    bench.stop()

    assert bench.told("incident") == []
    assert len([told for told in bench.told() if told["state"] == "opened"]) >= 4


def test_alarms_that_outlast_a_window_are_one_incident_when_it_ends(
    tmp_path: Path, make_bench: MakeBench, make_monitor: MakeMonitor
) -> None:
    (tmp_path / "plant.ics").write_text(
        "BEGIN:VCALENDAR\nBEGIN:VEVENT\nDTSTART:20231114T221300Z\nDTEND:20231114T221730Z\nEND:VEVENT\nEND:VCALENDAR\n"
    )
    monitor = make_monitor(
        payload="json",
        time="ts",
        bundle={"streams": STREAMS},
        maintenance=[MaintenanceSettings(ics=tmp_path / "plant.ics")],
    )
    bench = make_bench(monitor, incident=IncidentSettings(streams=3, within="20s"))
    bench.take(plant({"a": range(4, 40, 2), "b": range(10, 40, 2), "c": range(20, 40, 2)}))  # until slot 25
    bench.stop()

    opened, *_ = bench.told("incident")
    assert [each["stream"] for each in opened["members"]] == ["a", "b", "c"]
    assert opened["start"] == "2023-11-14T22:17:30.000Z"
    assert bench.told() == []


def test_an_incident_is_told_wherever_the_alarms_of_its_site_are(
    make_bench: MakeBench, make_monitor: MakeMonitor
) -> None:
    north, south = (
        make_monitor(name=name, broker=name, payload="json", time="ts", bundle={"streams": STREAMS, "version": version})
        for name, version in (("north", "1"), ("south", "2"))
    )
    bench = make_bench(north, south, incident=TOGETHER)
    messages = plant({"a": [20], "b": [22], "c": [25]})
    bench.take([each._replace(source="south") for each in messages])
    bench.take([each._replace(source="north") for each in plant({"a": [20]})])
    bench.stop()

    assert bench.query("SELECT DISTINCT sink, kind FROM outbox ORDER BY 1, 2") == [
        ("mqtt:north", "incident"), ("mqtt:south", "incident"),
    ]  # fmt: skip
