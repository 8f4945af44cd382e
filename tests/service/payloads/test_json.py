import json

import pytest

from edge.payloads.payload import Run
from edge.payloads.rejects import Reason, RejectError
from edge.topics import Match
from service.payloads.json import JsonPayload


def test_a_value_and_its_time_are_found() -> None:
    payload = JsonPayload("data.values.1", time="data.ts")

    assert payload.parse(b'{"data": {"values": [1, 2.5], "ts": 1700000000}}', "flow") == [
        Run("flow", [2.5], [1_700_000_000_000])
    ]


def test_several_channels_come_from_one_message() -> None:
    payload = JsonPayload(fields={"flow": "data.flow", "level": "data.level", "speed": "speed"})

    assert payload.parse(b'{"data": {"flow": 1, "level": null}, "speed": -2}', "flow") == [
        Run("flow", [1.0]),
        Run("speed", [-2.0]),
    ]


def test_a_name_with_dots_is_found_as_it_is() -> None:
    assert JsonPayload("pump.flow").parse(b'{"pump.flow": 3}', "flow") == [Run("flow", [3.0])]


@pytest.mark.parametrize(
    ("payload", "reason"),
    [
        (b"", Reason.SYNTAX),
        (b"{", Reason.SYNTAX),
        (b"\xff", Reason.SYNTAX),
        (b'{"value": "\xff"}', Reason.SYNTAX),
        (b'{"value": NaN}', Reason.SYNTAX),
        (b'{"value": Infinity}', Reason.SYNTAX),
        (b'{"value": 1} x', Reason.SYNTAX),
        (b"[" * 100_000, Reason.SYNTAX),
        (b"[" * 100_000 + b"]" * 100_000, Reason.SYNTAX),
        (b"21.5", Reason.MISSING),
        (b"[1]", Reason.MISSING),
        (b'{"value": null}', Reason.MISSING),
        (b'{"speed": 1}', Reason.MISSING),
        (b'{"value": true}', Reason.NUMBER),
        (b'{"value": "21.5"}', Reason.NUMBER),
        (b'{"value": {"value": 1}}', Reason.NUMBER),
        (b'{"value": [1]}', Reason.NUMBER),
    ],
)
def test_what_is_no_number_is_rejected_with_its_reason(payload: bytes, reason: Reason) -> None:
    with pytest.raises(RejectError) as reject:
        JsonPayload().parse(payload, "flow")
    assert reject.value.reason is reason


@pytest.mark.parametrize("number", [b"1e999", b"9" * 5000, b"1e100", b"-1e100"])
def test_a_number_beyond_all_doubles_is_rejected(number: bytes) -> None:
    with pytest.raises(RejectError):
        JsonPayload().parse(b'{"value": ' + number + b"}", "flow")


def test_a_large_integer_is_a_number() -> None:
    assert JsonPayload().parse(b'{"value": %d}' % 2**70, "flow") == [Run("flow", [float(2**70)])]


def test_a_message_without_the_time_that_was_promised_is_rejected() -> None:
    with pytest.raises(RejectError) as reject:
        JsonPayload(time="ts").parse(b'{"value": 1}', "flow")
    assert reject.value.reason is Reason.MISSING


TIMES = [1_700_000_000_000, 1_700_000_010_000, 1_700_000_020_000]


@pytest.mark.parametrize(
    ("payload", "message"),
    [
        (JsonPayload("v", time="ts"), {"ts": TIMES, "v": [1, 2.5, -3]}),
        (JsonPayload("d.v", time="d.ts"), {"d": {"ts": [time / 1000 for time in TIMES], "v": [1, 2.5, -3]}}),
        (
            JsonPayload("v", time="ts"),
            [{"ts": TIMES[0], "v": 1}, {"ts": TIMES[1], "v": 2.5}, {"ts": TIMES[2], "v": -3}],
        ),
        (JsonPayload("r.v", time="r.ts"), {"r": [{"ts": t, "v": v} for t, v in zip(TIMES, (1, 2.5, -3), strict=True)]}),
        (JsonPayload("v", time="t0", step="dt"), {"t0": TIMES[0], "dt": 10_000, "v": [1, 2.5, -3]}),
        (JsonPayload("v", time="t0", step="dt"), {"t0": "2023-11-14T22:13:20Z", "dt": 10, "v": [1, 2.5, -3]}),
    ],
)
def test_a_message_may_have_many_readings(payload: JsonPayload, message: object) -> None:
    assert payload.parse(json.dumps(message).encode(), "flow") == [Run("flow", [1.0, 2.5, -3.0], TIMES)]


def test_what_is_null_in_a_column_is_missing() -> None:
    payload = JsonPayload(fields={"flow": "f", "heat": "h", "load": "l"}, time="ts")
    message = {"ts": TIMES, "f": [1, None, 3], "h": [None, None, None], "l": [1, 2, 3]}
    assert payload.parse(json.dumps(message).encode(), "flow") == [
        Run("flow", [1.0, 3.0], [TIMES[0], TIMES[2]]),
        Run("load", [1.0, 2.0, 3.0], TIMES),
    ]


def test_channels_may_be_in_some_objects_of_a_list_only() -> None:
    payload = JsonPayload(fields={"flow": "f", "heat": "h"}, time="ts")
    message = [{"ts": TIMES[0], "f": 1}, {"ts": TIMES[1], "h": 2}, {"ts": TIMES[2], "x": 3}]
    assert payload.parse(json.dumps(message).encode(), "flow") == [
        Run("flow", [1.0], [TIMES[0]]),
        Run("heat", [2.0], [TIMES[1]]),
    ]


@pytest.mark.parametrize(
    ("payload", "reason"),
    [
        (b'{"ts": [1700000000, 1700000010], "value": [1]}', Reason.SYNTAX),
        (b'{"ts": [1700000000, 1700000010], "value": 1}', Reason.SYNTAX),
        (b'{"ts": 1700000000, "value": [1]}', Reason.NUMBER),
        (b'{"ts": [], "value": []}', Reason.MISSING),
        (b'{"ts": [1700000000], "value": [null]}', Reason.MISSING),
        (b'{"ts": [1700000000, 17], "value": [1, 2]}', Reason.TIME),
        (b'{"ts": [1700000000, null], "value": [1, 2]}', Reason.TIME),
        (b'{"ts": [1700000000, 1700000010000], "value": [1, 2]}', Reason.UNIT),
        (b'{"ts": [1700000000, 1700000010], "value": [1, true]}', Reason.NUMBER),
        (b'{"ts": [1700000000, 1700000010], "value": [1, "2"]}', Reason.NUMBER),
        (b'{"ts": [1700000000, 1700000010], "value": [1, [2]]}', Reason.NUMBER),
        (b'{"ts": [1700000000, 1700000010], "value": [1, 1e101]}', Reason.NUMBER),
        (b'{"ts": [1700000000, 1700000010], "value": [-1e101, 1]}', Reason.NUMBER),
        (b'{"ts": [1700000000, 1700000010], "value": [1, 1e999]}', Reason.SYNTAX),
        (b'[{"ts": 1700000000, "value": 1}, {"value": 2}]', Reason.TIME),
        (b"[]", Reason.MISSING),
    ],
)
def test_columns_that_do_not_fit_are_rejected_with_their_reason(payload: bytes, reason: Reason) -> None:
    with pytest.raises(RejectError) as reject:
        JsonPayload(time="ts").parse(payload, "flow")
    assert reject.value.reason is reason


@pytest.mark.parametrize(
    "payload",
    [
        b'{"value": 1, "value": 2, "ts": 1700000000}',
        b'{"value": 1, "ts": 1700000000, "ts": 1700000001}',
        b'[{"value": 1, "value": 2, "ts": 1700000000}]',
    ],
)
def test_a_name_that_is_there_twice_says_nothing(payload: bytes) -> None:
    with pytest.raises(RejectError, match="expected each name once in an object"):
        JsonPayload(time="ts").parse(payload, "flow")


def test_a_name_may_be_a_value_or_in_another_object() -> None:
    payload = b'{"kind": "value", "value": 1, "raw": {"value": 2}}'
    assert JsonPayload().parse(payload, "flow") == [Run("flow", [1.0])]


def test_a_stream_whose_epochs_were_ms_is_not_taken_in_seconds() -> None:
    payload = JsonPayload(time="ts")
    payload.parse(b'{"ts": 1700000000000, "value": 1}', "flow", Match("a", None))
    payload.parse(b'{"ts": 1700000000, "value": 1}', "flow", Match("b", None))
    with pytest.raises(RejectError) as reject:
        payload.parse(b'{"ts": 1700000001, "value": 1}', "flow", Match("a", None))
    assert reject.value.reason is Reason.UNIT
