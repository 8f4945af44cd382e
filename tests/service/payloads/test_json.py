import pytest

from service.payloads.json import JsonPayload
from service.payloads.payload import Run
from service.rejects import Reason, RejectError


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
