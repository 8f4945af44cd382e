import pytest

from edge.payloads.number import NumberPayload
from edge.payloads.payload import Run
from edge.payloads.rejects import Reason, RejectError


@pytest.mark.parametrize(
    ("payload", "value"), [(b"21.5", 21.5), (b" -3 \n", -3.0), (b"+1e3", 1000.0), (b".5", 0.5), (b"2.", 2.0)]
)
def test_a_decimal_number_is_read(payload: bytes, value: float) -> None:
    assert NumberPayload().parse(payload, "flow") == [Run("flow", [value])]


@pytest.mark.parametrize(
    "payload",
    [
        b"", b"nan", b"inf", b"-Infinity", b"1e999", b"1e100", b"-1e100", b"1_000", "٣".encode(), b"0x10",
        b"21.5 \xc2\xb0C", b"true",
        b"unavailable", b"1,5", b"1\x00", b"\xff\xfe", b"1 2", b"9" * 5000, b"e5", b".",
    ],
)  # fmt: skip
def test_anything_else_is_rejected(payload: bytes) -> None:
    with pytest.raises(RejectError) as reject:
        NumberPayload().parse(payload, "flow")
    assert reject.value.reason is Reason.NUMBER
    assert len(reject.value.detail) < 400
