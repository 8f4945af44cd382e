import io

import pytest

from edge.inbox import Message
from service.settings import MonitorSettings
from service.traffic.decoder import Decoder

T0 = 1_700_000_000_000


def message(topic: str, payload: str, seconds: float = 0, retain: bool = False) -> Message:
    return Message(0, 0, 1, topic, payload.encode(), retain, T0 + round(1000 * seconds))


def decode(messages: list[Message], channel: str = "value", **settings: object) -> tuple[Decoder, list[str]]:
    decoder = Decoder("pumps", MonitorSettings.model_validate({"bundle": "none", **settings}), channel)
    decoder.read(messages)
    file = io.StringIO()
    decoder.write(file)
    return decoder, file.getvalue().splitlines()


def test_topics_name_streams_and_channels_and_rows_are_in_order() -> None:
    messages = [
        message("plant/b/flow", "2.5", 3),
        message("plant/a/heat", "20", 2),
        message("plant/a/flow", "1e-3", 1.25),
        message("hall/a/flow", "7"),
    ]
    decoder, lines = decode(messages, topic="plant/{device}/{channel}")
    assert lines == [
        "stream,time,channel,value",
        "a,2023-11-14T22:13:21.250Z,flow,0.001",
        "a,2023-11-14T22:13:22.000Z,heat,20.0",
        "b,2023-11-14T22:13:23.000Z,flow,2.5",
    ]
    assert (decoder.decoded.messages, decoder.decoded.other, decoder.decoded.readings) == (4, 1, 3)


def test_payloads_may_name_channels_and_their_own_time() -> None:
    fields = {"flow": "data.f", "heat": "data.h"}
    messages = [message("plant/a", '{"ts": 1700000060, "data": {"f": 1, "h": 2}}', 61)]
    _, lines = decode(messages, topic="plant/{device}", payload="json", fields=fields, time="ts")
    assert lines[1:] == ["a,2023-11-14T22:14:20.000Z,flow,1.0", "a,2023-11-14T22:14:20.000Z,heat,2.0"]


def test_a_channel_and_a_stream_that_nothing_names_have_usual_names() -> None:
    assert decode([message("plant/flow", "1")], topic="plant/flow")[1][1].split(",")[::2] == ["pumps", "value"]
    assert decode([message("a", "1")], "flow", topic="{device}")[1][1].split(",")[::2] == ["a", "flow"]


def test_what_the_service_would_not_score_is_counted() -> None:
    messages = [
        message("plant/a", "1", retain=True),
        message("plant/a", "high"),
        message("plant/a", '{"value": 1, "ts": 1700009999}'),
        message("plant/a", '{"value": 1, "ts": 1700000001}', 2),
    ]
    decoder, lines = decode(messages, topic="plant/{device}", payload="json", time="ts")
    assert len(lines) == 2
    assert decoder.decoded.retained == 1
    assert decoder.decoded.rejects == {"syntax": 1, "future": 1}


def test_without_a_reading_there_is_only_the_header() -> None:
    assert decode([message("hall/a", "1")], topic="plant/{device}")[1] == ["stream,time,channel,value"]


@pytest.mark.parametrize("name", ['hall 1, "west"', "großer Saal"])
def test_names_survive(name: str) -> None:
    import csv

    (row,) = list(csv.DictReader(decode([message(f"plant/{name}", "1")], topic="plant/{device}")[1]))
    assert row["stream"] == name
