import gzip
from typing import Any

import pytest

from edge.payloads.payload import Run
from edge.payloads.rejects import Reason, RejectError
from edge.topics import Match
from service.payloads.protobuf import decode, encode
from service.payloads.sparkplug import PATIENCE_S, SparkplugPayload, units

T0 = 1_700_000_000_000
DOUBLE, INT32, BOOLEAN, STRING, DATE = 10, 3, 11, 12, 13


class Host:
    """A payload with a clock, and what it has asked for."""

    def __init__(self, fields: dict[str, str] | None = None) -> None:
        self.asked: list[tuple[str, bytes]] = []
        self.now_s = 1000.0
        self.payload = SparkplugPayload(fields or {}, lambda *asked: self.asked.append(asked), lambda: self.now_s)

    def say(self, kind: str, *metrics: dict[str, Any], device: str = "", **fields: Any) -> list[Run]:
        topic = f"spBv1.0/plant/{kind}/edge" + (f"/{device}" if device else "")
        encoded = encode(**({"timestamp": T0} | fields), metrics=metrics)
        return self.payload.parse(encoded, "", Match("edge", None, topic))


def flow(value: float, **other: Any) -> dict[str, Any]:
    return {"alias": 1, "double_value": value} | other


BIRTH = {"name": "flow", "alias": 1, "datatype": DOUBLE, "double_value": 1.0}


def test_a_birth_tells_what_the_aliases_of_data_mean() -> None:
    host = Host()
    assert host.say("NBIRTH", BIRTH, seq=0) == [Run("flow", [1.0], [T0])]
    assert host.say("NDATA", flow(2.0), flow(3.0, timestamp=T0 + 5), seq=1) == [Run("flow", [2.0, 3.0], [T0, T0 + 5])]
    assert host.asked == []


def test_each_device_has_aliases_of_its_own() -> None:
    host = Host()
    host.say("NBIRTH", BIRTH, seq=0)
    host.say("DBIRTH", BIRTH | {"name": "heat"}, device="pump", seq=1)
    assert host.say("DDATA", flow(2.0), device="pump", seq=2) == [Run("heat", [2.0], [T0])]
    assert host.say("NDATA", flow(2.0), seq=3) == [Run("flow", [2.0], [T0])]


def test_an_alias_that_is_not_known_is_a_reject_and_the_node_is_asked_now_and_then() -> None:
    host = Host()
    for _ in range(3):
        with pytest.raises(RejectError) as reject:
            host.say("NDATA", flow(2.0))
        assert reject.value.reason is Reason.ALIAS
    ((topic, command),) = host.asked
    (metric,) = decode(command).metrics
    assert (topic, metric.name, metric.boolean_value) == ("spBv1.0/plant/NCMD/edge", "Node Control/Rebirth", True)
    host.now_s += PATIENCE_S
    with pytest.raises(RejectError):
        host.say("NDATA", flow(2.0))
    assert len(host.asked) == 2
    host.say("NBIRTH", BIRTH, seq=0)
    assert host.say("NDATA", flow(2.0), seq=1) == [Run("flow", [2.0], [T0])]


def test_names_need_no_birth() -> None:
    assert Host().say("DDATA", {"name": "flow", "datatype": DOUBLE, "double_value": 2.0}, device="pump") == [
        Run("flow", [2.0], [T0])
    ]


def test_messages_that_are_missing_are_counted_and_the_birth_asked_for() -> None:
    host = Host()
    host.say("NBIRTH", BIRTH, seq=0)
    assert host.say("NDATA", flow(2.0), seq=4) == [Run("flow", [2.0], [T0])]
    assert (host.payload.missing, len(host.asked)) == (3, 1)


def test_what_comes_again_is_no_gap() -> None:
    host = Host()
    for _ in range(2):
        host.say("NBIRTH", BIRTH, seq=0)
        for seq in range(1, 300):
            host.say("NDATA", flow(2.0), seq=seq % 256)
        host.say("NDATA", flow(2.0), seq=40)
    assert (host.payload.missing, host.asked) == (0, [])


def test_after_its_death_a_node_must_be_born_again() -> None:
    host = Host()
    number = {"name": "bdSeq", "datatype": 4, "long_value": 7}
    assert [run.channel for run in host.say("NBIRTH", BIRTH, number, seq=0)] == ["flow"]
    assert host.say("NDEATH", number | {"long_value": 6}) == []
    assert host.say("NDATA", flow(2.0), seq=1) != []  # that was the death of an earlier life
    assert host.say("NDEATH", number) == []
    with pytest.raises(RejectError, match="unknown-alias"):
        host.say("NDATA", flow(2.0), seq=2)


def test_after_its_death_a_device_must_be_born_again_and_the_node_goes_on() -> None:
    host = Host()
    host.say("NBIRTH", BIRTH, seq=0)
    host.say("DBIRTH", BIRTH, device="pump", seq=1)
    assert host.say("DDEATH", device="pump", seq=2) == []
    assert host.say("NDATA", flow(2.0), seq=3) != []
    with pytest.raises(RejectError, match="unknown-alias"):
        host.say("DDATA", flow(2.0), device="pump", seq=4)


@pytest.mark.parametrize(
    ("datatype", "value", "expected"),
    [
        (1, {"int_value": 251}, -5),
        (1, {"int_value": 2**32 - 5}, -5),
        (2, {"int_value": 2**16 - 5}, -5),
        (3, {"int_value": 2**32 - 5}, -5),
        (4, {"long_value": 2**64 - 5}, -5),
        (5, {"int_value": 251}, 251),
        (7, {"int_value": 2**32 - 5}, 2**32 - 5),
        (8, {"long_value": 2**64 - 1}, float(2**64 - 1)),
        (9, {"float_value": 1.5}, 1.5),
        (10, {"double_value": -1.5}, -1.5),
    ],
)
def test_each_type_of_number_is_read(datatype: int, value: dict[str, Any], expected: float) -> None:
    host = Host()
    assert host.say("NBIRTH", {"name": "x", "alias": 9, "datatype": datatype} | value, seq=0)[0].values == [expected]
    assert host.say("NDATA", {"alias": 9} | value, seq=1)[0].values == [expected]


@pytest.mark.parametrize(
    "metric",
    [
        {"datatype": BOOLEAN, "boolean_value": True},
        {"datatype": STRING, "string_value": "21.5"},
        {"datatype": DATE, "long_value": T0},
        {"datatype": DOUBLE, "is_null": True},
        {"datatype": DOUBLE, "is_null": True, "double_value": 0.0},
        {"datatype": DOUBLE},
    ],
)
def test_what_is_null_or_no_number_is_no_reading(metric: dict[str, Any]) -> None:
    assert Host().say("NBIRTH", {"name": "x"} | metric, seq=0) == []


def test_fields_choose_and_name_the_channels() -> None:
    host = Host({"flow": "Inputs/Flow"})
    other = {"name": "Inputs/Heat", "datatype": DOUBLE, "double_value": float("nan")}
    assert host.say("NBIRTH", BIRTH | {"name": "Inputs/Flow"}, other, seq=0) == [Run("flow", [1.0], [T0])]


def test_a_compressed_body_is_read() -> None:
    body = gzip.compress(encode(timestamp=T0, metrics=[BIRTH]))
    topic = Match("edge", None, "spBv1.0/plant/NBIRTH/edge")
    runs = Host().payload.parse(encode(seq=0, uuid="SPBV1.0_COMPRESSED", body=body), "", topic)
    assert runs == [Run("flow", [1.0], [T0])]


@pytest.mark.parametrize(
    "payload", [b"", b"\x81{\x7f" + b"\xff" * 7, encode(uuid="SPBV1.0_COMPRESSED"), b"\x12\x03\x0a\x01\xff"]
)
def test_bytes_that_say_nothing_are_rejected(payload: bytes) -> None:
    with pytest.raises(RejectError) as reject:
        Host().payload.parse(payload, "", Match("edge", None, "spBv1.0/plant/NDATA/edge"))
    assert reject.value.reason is Reason.SYNTAX


@pytest.mark.parametrize("value", [float("nan"), float("inf"), 1e200])
def test_what_no_sensor_says_is_rejected(value: float) -> None:
    with pytest.raises(RejectError) as reject:
        Host().say("NBIRTH", BIRTH | {"double_value": value}, seq=0)
    assert reject.value.reason is Reason.NUMBER


def test_a_clock_that_was_never_set_is_rejected() -> None:
    with pytest.raises(RejectError) as reject:
        Host().say("NBIRTH", BIRTH, seq=0, timestamp=17)
    assert reject.value.reason is Reason.TIME


@pytest.mark.parametrize("kind", ["NCMD", "DCMD"])
def test_commands_are_none_of_ours(kind: str) -> None:
    assert Host().say(kind, BIRTH, device="pump" if kind[0] == "D" else "") == []


@pytest.mark.parametrize("topic", ["", "plant/a", "spBv1.0/g/XDATA/n", "spBv1.0/g/NDATA/n/d", "spBv1.0/g/DDATA/n"])
def test_other_topics_are_rejected(topic: str) -> None:
    with pytest.raises(RejectError) as reject:
        Host().payload.parse(encode(), "", Match("", None, topic))
    assert reject.value.reason is Reason.TOPIC


def test_a_birth_tells_units() -> None:
    unit = {"keys": ["engUnit"], "values": [{"type": STRING, "string_value": "l/s"}]}
    assert units(encode(metrics=[BIRTH | {"properties": unit}, BIRTH | {"name": "heat"}])) == {"flow": "l/s"}
