import json
from decimal import Decimal
from typing import Any

import cbor2
import pytest

from edge.payloads.payload import Run
from edge.payloads.rejects import Reason, RejectError
from service.payloads.senml import SenmlPayload

LABELS = {"bver": -1, "bn": -2, "bt": -3, "bu": -4, "bv": -5, "n": 0, "u": 1, "v": 2, "vs": 3, "vb": 4, "s": 5, "t": 6}


def parse(pack: list[dict[str, Any]]) -> list[Run]:
    """Return what is read from the pack, which is the same in both forms."""
    from_json = SenmlPayload({}).parse(json.dumps(pack).encode(), "")
    short = [{LABELS[name]: value for name, value in record.items()} for record in pack]
    assert SenmlPayload({}).parse(cbor2.dumps(short), "") == from_json
    return from_json


def test_base_values_hold_until_others_come() -> None:
    runs = parse(
        [
            {"bn": "urn:dev:ow:10e2:", "bt": 1.7e9, "bu": "A", "bv": 100, "n": "voltage", "u": "V", "v": 20.1},
            {"n": "current", "t": -5, "v": 1.5},
            {"n": "current", "t": 0.25, "v": 2},
            {"bn": "urn:dev:ow:20f3:", "bv": 0, "n": "current", "v": 3},
        ]
    )
    assert runs == [
        Run("voltage", [120.1], [1_700_000_000_000], "urn:dev:ow:10e2"),
        Run("current", [101.5, 102], [1_699_999_995_000, 1_700_000_000_250], "urn:dev:ow:10e2"),
        Run("current", [3], [1_700_000_000_000], "urn:dev:ow:20f3"),
    ]


def test_times_may_count_from_the_receipt() -> None:
    assert parse([{"bn": "a/b/", "n": "v", "v": 1, "t": -2.5}, {"n": "v", "v": 2}]) == [
        Run("v", [1, 2], [-2500, 0], "a/b", from_receipt=True)
    ]


@pytest.mark.parametrize(
    ("record", "stream", "channel"),
    [
        ({"n": "urn:dev:ow:10e2:voltage"}, "urn:dev:ow:10e2", "voltage"),
        ({"n": "/3303/0/5700"}, "3303/0", "5700"),
        ({"n": "voltage"}, "", "voltage"),
        ({"bn": "urn:dev:mac:0024befffe804ff1"}, "urn:dev:mac:0024befffe804ff1", "value"),
        ({"bn": "site+1/a#b/", "n": "x"}, "site%2B1/a%23b", "x"),
    ],
)
def test_a_name_is_of_a_stream_and_a_channel(record: dict[str, Any], stream: str, channel: str) -> None:
    ((run),) = parse([record | {"v": 1}])
    assert (run.stream, run.channel) == (stream, channel)


def test_strings_booleans_and_sums_are_no_readings() -> None:
    assert (
        len(parse([{"bn": "a:", "n": "x", "vs": "on"}, {"n": "y", "vb": True}, {"n": "z", "s": 3}, {"n": "w", "v": 1}]))
        == 1
    )


def test_cbor_may_have_decimals() -> None:
    ((run),) = SenmlPayload({}).parse(cbor2.dumps([{0: "x", 2: Decimal("21.5")}]), "")
    assert run.values == [21.5]


@pytest.mark.parametrize(
    ("pack", "reason"),
    [
        ([], Reason.MISSING),
        ([{"bn": "a:", "n": "x"}], Reason.MISSING),
        ([{"v": 1}], Reason.MISSING),
        ([{"n": 1, "v": 1}], Reason.MISSING),
        ([1], Reason.SYNTAX),
        ({"n": "x", "v": 1}, Reason.SYNTAX),
        ([{"n": "x", "v": 1, "new_": 1}], Reason.SYNTAX),
        ([{"bver": 11, "n": "x", "v": 1}], Reason.SYNTAX),
        ([{"n": "x", "v": "21.5"}], Reason.NUMBER),
        ([{"n": "x", "v": True}], Reason.NUMBER),
        ([{"n": "x", "v": None}], Reason.NUMBER),
        ([{"n": "x", "v": 1e101}], Reason.NUMBER),
        ([{"n": "x", "v": 1, "t": "now"}], Reason.NUMBER),
        ([{"n": "x", "v": 1, "t": 1e300}], Reason.TIME),
        ([{"n": "x", "v": 1, "t": -1e300}], Reason.TIME),
        ([{"bn": "a\x00/", "n": "x", "v": 1}], Reason.TOPIC),
    ],
)
def test_what_is_no_pack_of_readings_is_rejected(pack: Any, reason: Reason) -> None:
    for payload in (json.dumps(pack).encode(), cbor2.dumps(pack)):
        with pytest.raises(RejectError) as reject:
            SenmlPayload({}).parse(payload, "")
        assert reject.value.reason is reason


@pytest.mark.parametrize(
    "payload",
    [
        b"",
        b"\xff",
        b"\x81",
        b"\x9f",
        b"\x9b\xff\xff\xff\xff\xff\xff\xff\xff",  # so many records
        b"\x81\xbb\x7f\xff\xff\xff\xff\xff\xff\xff",  # so many labels
        b"\x81" * 100_000,
        b"\xd8\x1c\x81\xd8\x1d\x00",  # an array within itself
        b"\x81\xa2\x02\x01\x02\x02",  # a label twice
        b"[" * 100_000,
        cbor2.dumps([{0: "x", 2: float("nan")}]),
        cbor2.dumps([{0: "x", 2: 2**5000}]),
        cbor2.dumps([{0: "x", 2: Decimal("sNaN")}]),
        cbor2.dumps([{0: "x", 2: 1, 6: float("inf")}]),
    ],
)
def test_bytes_that_are_no_sound_cbor_are_rejected(payload: bytes) -> None:
    with pytest.raises(RejectError):
        SenmlPayload({}).parse(payload, "")
