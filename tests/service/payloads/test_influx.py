import pytest

from edge.payloads.payload import Run
from edge.payloads.rejects import Reason, RejectError
from service.payloads.influx import InfluxPayload


@pytest.mark.parametrize("time", ["1700000000", "1700000000000", "1700000000000000", "1700000000000000999"])
def test_lines_name_channel_stream_and_time_in_any_unit(time: str) -> None:
    payload = InfluxPayload({}, ["hall", "device"])
    line = f"pump,device=p1,hall=h flow=1.5,heat=2i {time}".encode()
    assert payload.parse(line, "") == [
        Run("pump.flow", [1.5], [1_700_000_000_000], "h/p1"),
        Run("pump.heat", [2], [1_700_000_000_000], "h/p1"),
    ]


def test_lines_are_put_together_and_those_without_a_time_are_of_the_receipt() -> None:
    payload = InfluxPayload({"flow": "pump.flow"}, [])
    assert payload.parse(b"pump flow=1 1700000000\npump flow=2 1700000010\nfan speed=9\npump flow=3\n", "") == [
        Run("flow", [1, 2], [1_700_000_000_000, 1_700_000_010_000]),
        Run("flow", [3]),
    ]


@pytest.mark.parametrize(
    ("payload", "reason"),
    [
        (b"", Reason.MISSING),
        (b"# nothing", Reason.MISSING),
        (b'pump,device=a mode="auto"', Reason.MISSING),
        (b"pump flow=1", Reason.MISSING),
        (b"pump,device=a flow=\xff", Reason.SYNTAX),
        (b"pump,device=a flow=1e101", Reason.NUMBER),
        (b"pump,device=a flow=1 17", Reason.TIME),
        (b"pump,device=\x00 flow=1", Reason.TOPIC),
        (b"pump,device=a flow=1 1700000000\npump,device=a flow=1 1700000000000", Reason.UNIT),
    ],
)
def test_what_has_no_reading_is_rejected(payload: bytes, reason: Reason) -> None:
    with pytest.raises(RejectError) as reject:
        InfluxPayload({}, ["device"]).parse(payload, "")
    assert reject.value.reason is reason
