import pytest

from edge.payloads.payload import Run
from edge.payloads.rejects import Reason, RejectError
from service.payloads.states import StatePayload


def test_a_state_is_a_number_as_text() -> None:
    assert StatePayload().parse(b"21.5", "flow") == [Run("flow", [21.5])]


@pytest.mark.parametrize("payload", [b"unavailable", b"unknown", b"None", b"nan", b"NaN", b"NA", b"", b"null"])
def test_a_sensor_without_a_value_is_told_from_one_that_sends_nonsense(payload: bytes) -> None:
    with pytest.raises(RejectError) as reject:
        StatePayload().parse(payload, "flow")
    assert reject.value.reason is Reason.UNAVAILABLE


@pytest.mark.parametrize("payload", [b"21.5 \xc2\xb0C", b"on", b"1_000", b"inf", b"unavailable" * 9])
def test_anything_else_is_no_number(payload: bytes) -> None:
    with pytest.raises(RejectError) as reject:
        StatePayload().parse(payload, "flow")
    assert reject.value.reason is Reason.NUMBER
