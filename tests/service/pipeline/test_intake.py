import pytest

from edge.inbox import Message
from edge.payloads.payload import MOST_AHEAD_MS
from edge.payloads.rejects import Reason
from service.pipeline.columns import Columns
from service.pipeline.intake import BLOCK, Intake
from tests.service.conftest import RECEIVED_MS, MakeMonitor, message


def readings_of(columns: Columns) -> list[list[float]]:
    """Return rows, channels, times and values."""
    told = columns.readings()
    return [told.stream.tolist(), told.channel.tolist(), told.time.tolist(), told.value.tolist()]


def test_messages_become_rows_in_their_order(make_monitor: MakeMonitor) -> None:
    monitor = make_monitor()
    batch = [message(f"plant/{device}/value", payload) for device, payload in (("b", b"1"), ("a", b"2"), ("b", b"3"))]

    ((owner, columns),) = Intake([monitor]).sort(batch).readings

    assert owner is monitor
    assert readings_of(columns) == [[0, 1, 0], [0, 0, 0], [RECEIVED_MS] * 3, [1.0, 2.0, 3.0]]
    assert monitor.new_names() == ["b", "a"]


def test_a_number_has_the_time_of_its_receipt(make_monitor: MakeMonitor) -> None:
    ((_, columns),) = Intake([make_monitor()]).sort([message(at_ms=RECEIVED_MS + 7)]).readings
    assert columns.readings().time.tolist() == [RECEIVED_MS + 7]


def test_a_clock_may_be_a_little_ahead_but_not_more(make_monitor: MakeMonitor) -> None:
    intake = Intake([make_monitor(payload="json", time="ts")])
    times = (RECEIVED_MS + MOST_AHEAD_MS, RECEIVED_MS + MOST_AHEAD_MS + 1)

    result = intake.sort([message(payload=b'{"value": 1, "ts": %d}' % time) for time in times])

    assert [letter.reason for letter in result.letters] == [Reason.FUTURE]
    assert len(result.readings[0][1]) == 1


def test_a_rejected_message_begins_no_stream(make_monitor: MakeMonitor) -> None:
    monitor = make_monitor()
    Intake([monitor]).sort([message(payload=b"warm")])
    assert monitor.names == []


def test_each_message_goes_to_the_monitor_of_its_topic(make_monitor: MakeMonitor) -> None:
    one, other = make_monitor("one/{device}/{channel}"), make_monitor("other/{device}/{channel}", {"version": "2"})
    other.name = "other"
    result = Intake([one, other]).sort([message("other/a/value"), message("one/a/value"), message("third/a/value")])
    assert [(monitor.name, len(columns)) for monitor, columns in result.readings] == [("main", 1), ("other", 1)]
    assert [letter.reason for letter in result.letters] == [Reason.TOPIC]
    assert result.committed == 2


def test_the_same_topic_at_two_brokers_is_two_monitors_own(make_monitor: MakeMonitor) -> None:
    north, south = make_monitor(broker="north"), make_monitor(bundle={"version": "2"}, name="other", broker="south")
    batch = [message(source=source) for source in ("south", "north", "south", "east")]
    result = Intake([north, south]).sort(batch)
    assert [(monitor.name, len(columns)) for monitor, columns in result.readings] == [("main", 1), ("other", 2)]
    assert [letter.reason for letter in result.letters] == [Reason.TOPIC]


def test_a_message_that_is_read_and_has_no_reading_is_committed(make_monitor: MakeMonitor) -> None:
    monitor = make_monitor("zigbee2mqtt/{device}", payload="zigbee2mqtt", fields={"value": "flow"})
    result = Intake([monitor]).sort([message("zigbee2mqtt/a", b'{"linkquality": 80}')])
    assert (result.committed, result.letters, len(result.readings[0][1])) == (1, [], 0)
    assert monitor.names == []


def test_what_a_message_tells_of_its_stream_is_added_to_its_topics(make_monitor: MakeMonitor) -> None:
    monitor = make_monitor("lines/{site}", payload="influx", fields={"value": "pump.flow"}, tags=["device"])
    Intake([monitor]).sort([message("lines/north", b"pump,device=a/b flow=1\npump,device=c flow=2\n")])
    assert monitor.names == ["north/a%2Fb", "north/c"]


def test_a_message_of_many_readings_is_as_many_rows(make_monitor: MakeMonitor) -> None:
    payloads = [b'{"ts": [%d, %d], "value": [1, 2]}' % (RECEIVED_MS, RECEIVED_MS - 5), b'{"ts": 1, "value": "x"}']
    payloads += [b'{"ts": [%d], "value": [3]}' % (RECEIVED_MS + 1)]
    batch = [message(f"plant/{device}/value", payload) for device, payload in zip("aab", payloads, strict=True)]
    expected = [[0, 0, 1], [0] * 3, [RECEIVED_MS, RECEIVED_MS - 5, RECEIVED_MS + 1], [1.0, 2.0, 3.0]]
    for of_one_kind in (batch, [batch[0], batch[2]]):  # read alone, read at once
        monitor = make_monitor(payload="json", time="ts", bundle={"version": str(len(of_one_kind))})
        ((_, columns),) = Intake([monitor]).sort(of_one_kind).readings
        assert readings_of(columns) == expected
        assert len(columns) == 3


def mixed(count: int) -> list[Message]:
    """Return messages of ten devices, most of them plain, some with another fate."""
    odd = {
        10: b"warm",
        300: b'{"ts": 1700000000000}',
        301: b'{"ts": %d, "value": 1}' % (RECEIVED_MS + MOST_AHEAD_MS + 1),
        500: b'{"value": 2.5, "ts": 1700000000000, "value": 3}',
        501: b'{"value": 2.5, "ts": "2023-11-14T22:13:20Z"}',
    }
    told = [odd.get(number, b'{"ts": %d, "value": %d}' % (RECEIVED_MS + number, number)) for number in range(count)]
    return [message(f"plant/{number % 10}/value", payload, mid=number) for number, payload in enumerate(told)]


@pytest.mark.parametrize("most", [100, 8])
def test_messages_that_are_read_at_once_have_the_fate_they_would_have_alone(
    most: int, make_monitor: MakeMonitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    batch = mixed(2 * BLOCK + 10)
    batch[BLOCK + 3] = batch[BLOCK + 3]._replace(topic="plant/a/speed")
    batch[BLOCK + 4] = batch[BLOCK + 4]._replace(topic="elsewhere")
    batch[BLOCK + 5] = batch[BLOCK + 5]._replace(retain=True)

    at_once = Intake([make_monitor(payload="json", time="ts", max_streams=most)]).sort(batch)
    alone = make_monitor(payload="json", time="ts", max_streams=most, bundle={"version": "2"})
    monkeypatch.setattr(alone, "read_many", lambda *_: None)
    one_by_one = Intake([alone]).sort(batch)

    assert readings_of(at_once.readings[0][1]) == readings_of(one_by_one.readings[0][1])
    assert at_once.letters == one_by_one.letters
    assert (at_once.committed, at_once.retained) == (one_by_one.committed, one_by_one.retained)
    assert at_once.committed + at_once.retained + len(at_once.letters) == len(batch)
    expected = {Reason.SYNTAX, Reason.MISSING, Reason.FUTURE, Reason.CHANNEL, Reason.TOPIC}
    assert {letter.reason for letter in at_once.letters} == expected | ({Reason.STREAMS} if most == 8 else set())


def test_no_more_topics_are_remembered_than_are_allowed(
    make_monitor: MakeMonitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("service.pipeline.intake.MOST_ROUTES", 3)
    intake = Intake([make_monitor()])
    result = intake.sort([message(f"plant/{number}/value") for number in (0, 1, 2, 3, 4, 0, 1)])
    assert result.readings[0][1].row == [0, 1, 2, 3, 4, 0, 1]
    assert len(intake._routes[""]) <= 3
