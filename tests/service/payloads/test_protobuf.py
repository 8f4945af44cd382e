import struct

import pytest

from edge.payloads.rejects import Reason, RejectError
from service.payloads.protobuf import decode, encode


def field(number: int, content: int | bytes) -> bytes:
    """Return a field as protobuf's encoding has it: a number in base 128, or bytes with their length before."""
    if isinstance(content, int):
        return varint(number << 3) + varint(content)
    return varint(number << 3 | 2) + varint(len(content)) + content


def varint(number: int) -> bytes:
    groups = bytearray()
    while number > 127:
        groups.append(number & 127 | 128)
        number >>= 7
    return bytes([*groups, number])


#: by the numbers of the Sparkplug specification
METRIC = (
    field(1, b"flow") + field(2, 7) + field(3, 1_700_000_000_000) + field(4, 10)
    + varint(13 << 3 | 1) + struct.pack("<d", 1.5)
    + field(9, field(1, b"engUnit") + field(2, field(1, 12) + field(8, b"l/s")))
)  # fmt: skip
PAYLOAD = field(1, 1_700_000_000_001) + field(2, METRIC) + field(3, 200) + field(4, b"id") + field(5, b"body")


def test_a_payload_is_read_by_the_numbers_of_the_specification() -> None:
    payload = decode(PAYLOAD)
    (metric,) = payload.metrics
    assert (payload.timestamp, payload.seq, payload.uuid, payload.body) == (1_700_000_000_001, 200, "id", b"body")
    assert (metric.name, metric.alias, metric.timestamp, metric.datatype) == ("flow", 7, 1_700_000_000_000, 10)
    assert (metric.WhichOneof("value"), metric.double_value) == ("double_value", 1.5)
    assert (list(metric.properties.keys), metric.properties.values[0].string_value) == (["engUnit"], "l/s")


def test_what_is_written_is_what_the_specification_says() -> None:
    metric = {"name": "on", "timestamp": 5, "datatype": 11, "boolean_value": True}
    expected = field(1, 1) + field(2, field(1, b"on") + field(3, 5) + field(4, 11) + field(14, 1))
    assert encode(timestamp=1, metrics=[metric]) == expected


def test_fields_that_nobody_reads_are_passed_over() -> None:
    dataset = field(17, field(1, 3))
    assert decode(field(2, field(1, b"table") + dataset) + field(99, b"later")).metrics[0].WhichOneof("value") is None


@pytest.mark.parametrize(
    "payload", [b"{}", b"\xff" * 9, PAYLOAD[:-3], field(2, field(1, b"\xff\xfe"))[:-1], b"\x12\x7f"]
)
def test_what_is_no_payload_is_rejected(payload: bytes) -> None:
    with pytest.raises(RejectError) as reject:
        decode(payload)
    assert reject.value.reason is Reason.SYNTAX
