from typing import Any

from edge.inbox import Inbox
from edge.payloads.rejects import Reason
from service.counters import Counters
from service.operation.standing import MonitorStanding, Standing
from service.relays.health_lines import health_lines

SERVICE = {"service": "north"}


def told(**changed: Any) -> dict[str, Any]:
    counters = Counters(received=9, committed=6, retained=1, readings=6, verdicts=5, alarms=1, retries=2)
    counters.rejects[Reason.SYNTAX] += 2
    counters.dropped["history"] += 3
    standing = Standing(
        counters, Inbox(), "north", lambda: {"main": True}, lambda: {"history": "no connection"}, started_ms=1000
    )
    standing.monitors = {
        "pumps": MonitorStanding("pump/1", {"learning": 0, "normal": 2, "alarm": 1, "silent": 0}, 6500, 0.5),
        "new": MonitorStanding("pump/1", {"learning": 0, "normal": 0, "alarm": 0, "silent": 0}, None, None),
    }
    return standing.tell() | {"written": 9000} | changed


def lines_of(told: dict[str, Any]) -> dict[str, str]:
    """Return the fields of each point by its tags."""
    points = [line.decode().rsplit(" ", 2) for line in health_lines(told, {"mqtt": 1, "history": 4})]
    assert {time for *_, time in points} == {"9000"}
    return {head.removeprefix("foresense,"): fields for head, fields, _ in points}


def test_each_part_of_the_service_is_a_point_of_its_own() -> None:
    points = lines_of(told())
    assert list(points) == [
        "service=north", "broker=main,service=north",
        *(f"reason={reason},service=north" for reason in Reason),
        "bundle=pump/1,monitor=pumps,service=north", "bundle=pump/1,monitor=new,service=north",
        "service=north,sink=mqtt", "service=north,sink=history",
    ]  # fmt: skip
    assert points["service=north"] == (
        "received_per_s=0.0,readings_per_s=0.0,verdicts_per_s=0.0,received=9i,committed=6i,retained=1i,refused=0i,"
        "readings=6i,verdicts=5i,alarms=1i,retries=2i,unstored=0i,rejected=2i,in_flight=0i,queue=0i,queue_bytes=0i,"
        "uptime_s=8.0,stores_verdicts=1i,change_refused=0i"
    )
    assert points["broker=main,service=north"] == "connected=1i"
    assert points["reason=syntax,service=north"] == "rejects=2i"
    assert points["reason=topic,service=north"] == "rejects=0i"
    assert points["service=north,sink=history"] == "outbox=4i,dropped=3i,refused=0i,up=0i"


def test_what_is_not_known_of_a_monitor_is_left_out() -> None:
    points = lines_of(told())
    states = "learning=0i,normal={}i,alarm={}i,silent=0i"
    assert points["bundle=pump/1,monitor=pumps,service=north"] == f"{states.format(2, 1)},lag_s=2.5,achieved=0.5"
    assert points["bundle=pump/1,monitor=new,service=north"] == states.format(0, 0)


def test_a_name_with_commas_and_spaces_stays_one_tag() -> None:
    (first, *_) = health_lines(told(service="a,b c=d"), {})
    assert first.startswith(rb"foresense,service=a\,b\ c\=d received_per_s=")
