import pytest

from edge.payloads.payload import Run
from edge.payloads.rejects import Reason, RejectError
from service.payloads.objects import ObjectPayload

TASMOTA = b"""{"Time": "2024-07-01T12:00:00", "DS18B20": {"Id": "01", "Temperature": 21.5},
    "ENERGY": {"Power": [10, 20]}, "TempUnit": "C"}"""
ZIGBEE = b"""{"battery": 97, "contact": true, "linkquality": 80, "temperature": 21.4, "pressure": null,
    "update": {"state": "idle"}, "last_seen": %s}"""


def test_numbers_are_named_by_their_paths_and_the_clock_is_of_the_zone() -> None:
    times = [1_719_828_000_000]  # 10:00 UTC
    assert ObjectPayload("Time", {}, "Europe/Rome").parse(TASMOTA, "") == [
        Run("DS18B20.Temperature", [21.5], times),
        Run("ENERGY.Power.0", [10], times),
        Run("ENERGY.Power.1", [20], times),
    ]


@pytest.mark.parametrize("time", [b"1719828000000", b'"2024-07-01T10:00:00.000Z"', b'"2024-07-01T12:00:00+02:00"'])
def test_zigbee2mqtt_tells_when_a_device_was_seen(time: bytes) -> None:
    runs = ObjectPayload("last_seen", {}, "UTC").parse(ZIGBEE % time, "")
    assert [run.channel for run in runs] == ["battery", "linkquality", "temperature"]
    assert {tuple(run.times_ms or ()) for run in runs} == {(1_719_828_000_000,)}


def test_without_a_time_that_of_the_receipt_counts() -> None:
    assert ObjectPayload("last_seen", {}, "UTC").parse(b'{"power": 3, "last_seen": null}', "") == [Run("power", [3])]


def test_fields_choose_and_name_the_channels() -> None:
    payload = ObjectPayload("Time", {"heat": "DS18B20.Temperature"}, "UTC")
    assert [run.channel for run in payload.parse(TASMOTA, "")] == ["heat"]
    assert payload.parse(b'{"ENERGY": {"Power": 1}}', "") == []


@pytest.mark.parametrize(
    ("payload", "reason"),
    [
        (b"[]", Reason.SYNTAX),
        (b"21.5", Reason.SYNTAX),
        (b'{"a": 1e999}', Reason.SYNTAX),
        (b'{"a": 1e200}', Reason.NUMBER),
        (b'{"state": "ON"}', Reason.MISSING),
        (b'{"a": 1, "last_seen": true}', Reason.TIME),
        (b'{"a": 1, "last_seen": 12}', Reason.TIME),
    ],
)
def test_what_is_no_object_of_numbers_is_rejected(payload: bytes, reason: Reason) -> None:
    with pytest.raises(RejectError) as reject:
        ObjectPayload("last_seen", {}, "UTC").parse(payload, "")
    assert reject.value.reason is reason


def test_objects_are_looked_into_only_so_deep() -> None:
    deep = b'{"a": ' * 9 + b"1" + b"}" * 9
    with pytest.raises(RejectError):
        ObjectPayload("last_seen", {}, "UTC").parse(deep, "")
