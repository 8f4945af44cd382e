import pytest

from edge.errors import ConfigError
from edge.payloads.payload import Run
from edge.payloads.rejects import Reason, RejectError
from edge.topics import Match
from service.payloads.protobuf import encode
from service.pipeline.columns import Columns
from service.storage.store import SavedStream
from tests.service.conftest import MakeMonitor


def test_a_topic_without_a_channel_is_of_the_only_channel(make_monitor: MakeMonitor) -> None:
    assert make_monitor("plant/{device}").parse(Match("a", None), b"1") == [Run("value", [1.0])]


def test_a_channel_that_the_bundle_does_not_know_is_rejected(make_monitor: MakeMonitor) -> None:
    with pytest.raises(RejectError, match="expected one of value, got 'speed'") as reject:
        make_monitor().parse(Match("a", "speed"), b"1")
    assert reject.value.reason is Reason.CHANNEL


def test_a_payload_that_names_channels_may_have_others_besides(make_monitor: MakeMonitor) -> None:
    monitor = make_monitor("zigbee2mqtt/{device}", {"channels": ("flow", "level")}, payload="zigbee2mqtt")
    runs = monitor.parse(Match("a", None), b'{"flow": 1, "linkquality": 80}')
    assert [run.channel for run in runs] == ["flow"]
    with pytest.raises(RejectError, match="expected one of flow, level, got 'linkquality'"):
        monitor.parse(Match("a", None), b'{"linkquality": 80}')


def test_a_message_without_what_fields_ask_for_is_read_and_says_nothing(make_monitor: MakeMonitor) -> None:
    monitor = make_monitor("zigbee2mqtt/{device}", payload="zigbee2mqtt", fields={"value": "flow"})
    assert monitor.parse(Match("a", None), b'{"linkquality": 80}') == []


def test_a_convention_may_ask_a_device(make_monitor: MakeMonitor) -> None:
    monitor = make_monitor("spBv1.0/{group}/{_type}/{node}/{device...}", payload="sparkplug")
    asked: list[str] = []
    monitor.ask = lambda topic, _payload: asked.append(topic)
    match = monitor.template.match("spBv1.0/g/NDATA/n")
    assert match is not None
    with pytest.raises(RejectError, match="unknown-alias"):
        monitor.parse(match, encode(timestamp=1_700_000_000_000, metrics=[{"alias": 1, "double_value": 1.0}]))
    assert asked == ["spBv1.0/g/NCMD/n"]


def test_fields_must_be_channels_of_the_bundle(make_monitor: MakeMonitor) -> None:
    with pytest.raises(ConfigError, match=r"fields: expected channels of bundle pump/1 \(value\), got 'speed'"):
        make_monitor("plant/{device}", payload="json", fields={"speed": "s"})


def test_several_channels_need_a_place_in_topic_or_payload(make_monitor: MakeMonitor) -> None:
    with pytest.raises(ConfigError, match=r"expected \{channel\} in the topic, or fields"):
        make_monitor("plant/{device}", {"channels": ("flow", "level")})


def test_a_topic_without_placeholders_is_a_stream_of_the_monitors_name(make_monitor: MakeMonitor) -> None:
    monitor = make_monitor("plant/{channel}")
    match = monitor.template.match("plant/value")
    assert match is not None
    assert match.stream_name("", monitor.name) == "main"


def test_a_lower_budget_makes_a_higher_limit(make_monitor: MakeMonitor) -> None:
    often, seldom = make_monitor(budget="1 per day"), make_monitor(bundle={"version": "2"}, budget="1 per year")
    assert seldom.limit > often.limit


def test_a_budget_for_the_monitor_is_shared_by_the_streams_it_watches(make_monitor: MakeMonitor) -> None:
    each = make_monitor(budget="1 per week")
    together = make_monitor(bundle={"version": "2"}, budget="4 per week for the monitor")
    for monitor in (each, together):
        for names in (["a"], ["b", "c", "d"]):
            for name in names:
                monitor.row(name)
            monitor.begin(list(range(len(monitor.ids), len(monitor.ids) + len(names))))
            if names == ["a"] and monitor is together:
                assert together.limit < each.limit
    assert together.limit == each.limit

    saved = [SavedStream(row, name, None, None, None) for row, name in enumerate(together.names)]
    together.restore(saved)
    assert together.limit == each.limit


def test_values_are_converted_to_the_unit_of_the_bundle(make_monitor: MakeMonitor) -> None:
    monitor = make_monitor("plant/{device}", channels={"value": {"unit": "m3/h"}})
    columns = Columns()
    columns.add(0, 0, [1_700_000_000_000], [3.6])
    assert monitor.readings(columns).value.tolist() == pytest.approx([1.0])  # l/s


def test_a_unit_that_does_not_fit_is_refused(make_monitor: MakeMonitor) -> None:
    with pytest.raises(ConfigError, match=r"channels.value.unit: expected one that converts to 'l/s', got 'bar'"):
        make_monitor("plant/{device}", channels={"value": {"unit": "bar"}})


def test_a_silent_stream_is_told_of_without_a_reading(make_monitor: MakeMonitor) -> None:
    monitor = make_monitor("plant/{device}")
    row = monitor.row("a")
    monitor.begin([1])
    first = 1_700_000_000_000
    columns = Columns()
    columns.add(row, 0, [first + 10_000 * k for k in range(30)], [k % 3 for k in range(30)])
    monitor.engine.feed(monitor.readings(columns))
    monitor.heard(1_000)
    assert len(monitor.tick(2_000)) == 0
    assert monitor.tick(101_000).quality.tolist() == [[1]]
    assert len(monitor.tick(900_000)) == 0
