from service.intake import Intake
from service.monitor import Columns
from service.rejects import Reason
from service.runs import MOST_AHEAD_MS
from tests.service.conftest import RECEIVED_MS, MakeMonitor, message


def test_messages_become_rows_in_their_order(make_monitor: MakeMonitor) -> None:
    monitor = make_monitor()
    batch = [message(f"plant/{device}/value", payload) for device, payload in (("b", b"1"), ("a", b"2"), ("b", b"3"))]

    ((owner, columns),) = Intake([monitor]).sort(batch).readings

    assert owner is monitor
    assert columns == Columns([0, 1, 0], [0, 0, 0], [RECEIVED_MS] * 3, [1.0, 2.0, 3.0])
    assert monitor.new_names() == ["b", "a"]


def test_a_number_has_the_time_of_its_receipt(make_monitor: MakeMonitor) -> None:
    ((_, columns),) = Intake([make_monitor()]).sort([message(at_ms=RECEIVED_MS + 7)]).readings
    assert columns.time == [RECEIVED_MS + 7]


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
