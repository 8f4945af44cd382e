import pytest

from edge.payloads.payload import Run
from edge.payloads.rejects import Reason, RejectError
from service.payloads.telegraf import TelegrafPayload

METRIC = (
    b'{"fields": {"flow": 1.5, "on": true, "mode": "auto"}, "name": "pump", "tags": {"host": "%s"}, "timestamp": %d}'
)


def test_a_metric_names_channel_stream_and_time() -> None:
    payload = TelegrafPayload({}, ["host"], "UTC")
    expected = [Run("pump.flow", [1.5], [1_700_000_000_000], "a")]
    assert payload.parse(METRIC % (b"a", 1_700_000_000), "") == expected


def test_a_batch_is_put_together_by_stream_and_channel() -> None:
    payload = TelegrafPayload({"flow": "pump.flow"}, ["host"], "UTC")
    batch = b",".join(METRIC % (host, 1_700_000_000 + k) for k, host in enumerate((b"a", b"b", b"a")))
    for whole in (b'{"metrics": [' + batch + b"]}", b"[" + batch + b"]"):
        assert payload.parse(whole, "") == [
            Run("flow", [1.5, 1.5], [1_700_000_000_000, 1_700_000_002_000], "a"),
            Run("flow", [1.5], [1_700_000_001_000], "b"),
        ]


def test_a_tag_becomes_one_level_of_the_streams_name() -> None:
    ((run),) = TelegrafPayload({}, ["host"], "UTC").parse(METRIC % (b"a/+/#", 1_700_000_000), "")
    assert run.stream == "a%2F%2B%2F%23"


@pytest.mark.parametrize(
    ("payload", "reason"),
    [
        (b"{}", Reason.SYNTAX),
        (b"[1]", Reason.SYNTAX),
        (b'{"metrics": 1}', Reason.SYNTAX),
        (b"[]", Reason.MISSING),
        (b'{"name": "a", "fields": {}, "tags": {"host": "x"}}', Reason.MISSING),
        (b'{"name": "a", "fields": {"v": 1}}', Reason.MISSING),
        (b'{"name": "a", "fields": {"v": 1}, "tags": {"host": "\\u0007"}}', Reason.TOPIC),
        (b'{"name": "a", "fields": {"v": 1}, "tags": {"host": ""}}', Reason.TOPIC),
        (b'{"name": "a", "fields": {"v": 1}, "tags": {"host": "x"}, "timestamp": "now"}', Reason.TIME),
        (b'{"name": "a", "fields": {"v": 1e101}, "tags": {"host": "x"}}', Reason.NUMBER),
    ],
)
def test_what_is_no_metric_is_rejected(payload: bytes, reason: Reason) -> None:
    with pytest.raises(RejectError) as reject:
        TelegrafPayload({}, ["host"], "UTC").parse(payload, "")
    assert reject.value.reason is reason
