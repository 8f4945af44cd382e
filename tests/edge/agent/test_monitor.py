"""A monitor: how each kind of message is read, its streams, and what it goes on with."""

from typing import Any

import pytest

from edge.agent.monitor import Monitor
from edge.agent.settings import MonitorSettings
from edge.agent.store import SavedState
from edge.errors import ConfigError
from edge.inbox import Message
from edge.payloads.rejects import RejectError
from edge.runtimes import open_runtime
from edge.state import LAYOUT_VERSION
from tests.conftest import INTERVAL_MS, START_MS, MakeBundle


def monitor(make_bundle: MakeBundle, channels: tuple[str, ...] = ("flow",), **settings: Any) -> Monitor:
    bundle = make_bundle(channels=channels, streams=("a",))
    return Monitor("main", MonitorSettings(bundle="pump", **settings), bundle, open_runtime(bundle.files), "pi")


def message(payload: bytes, topic: str = "") -> Message:
    return Message(0, 0, 0, topic, payload, False, START_MS)


@pytest.mark.parametrize(
    ("channels", "settings", "topic", "payload", "expected"),
    [
        (("flow",), {"source": "stdin"}, "", b"1.5", [(0, 1.5)]),
        (("flow", "level"), {"source": "stdin"}, "", b"1.5, 2", [(0, 1.5), (1, 2.0)]),
        (("flow",), {"source": "stdin", "payload": "json"}, "", b'{"value": 3}', [(0, 3.0)]),
        (("flow", "level"), {"source": "stdin", "payload": "json"}, "", b'{"level": 3}', [(1, 3.0)]),
        (("flow",), {"source": "stdin", "payload": "json", "value": "a.b"}, "", b'{"a": {"b": 3}}', [(0, 3.0)]),
        (("flow",), {"source": "a:b"}, "", b'{"flow": 3.5}', [(0, 3.5)]),
        (("flow", "level"), {"topic": "x/{channel}"}, "x/level", b"7", [(1, 7.0)]),
        (("flow", "level"), {"topic": "x/{channel}", "payload": "json"}, "x/level", b'{"value": 7}', [(1, 7.0)]),
        (("flow",), {"topic": "x", "payload": "json", "fields": {"flow": "f"}}, "x", b'{"f": 7}', [(0, 7.0)]),
    ],
)
def test_messages_are_read_as_the_settings_say(
    make_bundle: MakeBundle,
    channels: tuple[str, ...],
    settings: dict[str, Any],
    topic: str,
    payload: bytes,
    expected: list[tuple[int, float]],
) -> None:
    made = monitor(make_bundle, channels, **settings)
    assert made.read(message(payload, topic)) == [(0, channel, START_MS, value) for channel, value in expected]
    assert made.names == ["pi/main"]


def test_a_topic_tells_the_stream_and_no_more_than_are_allowed_are_watched(make_bundle: MakeBundle) -> None:
    made = monitor(make_bundle, topic="x/{device}", max_streams=2)
    for name in ("a", "b", "a"):
        made.read(message(b"1", f"x/{name}"))
    assert made.names == ["a", "b"]
    with pytest.raises(RejectError, match="expected at most 2 streams"):
        made.read(message(b"1", "x/c"))


def test_a_field_of_a_channel_that_the_bundle_does_not_have_is_refused(make_bundle: MakeBundle) -> None:
    with pytest.raises(ConfigError, match=r"fields.heat: expected one of flow of bundle pump/1, got 'heat'"):
        monitor(make_bundle, topic="x", payload="json", fields={"heat": "h"})


def test_a_stream_goes_on_where_its_record_was_and_begins_anew_with_that_of_another_bundle(
    make_bundle: MakeBundle,
) -> None:
    made = monitor(make_bundle, source="stdin", stream="a")
    for slot in range(6):
        made.feed([(made.read(message(b"1"))[0][0], 0, START_MS + slot * INTERVAL_MS, 1.0)], 0)
    ((_, name, bundle, layout, record),) = made.changed()
    assert made.changed() == []

    assert made.restore({name: SavedState(bundle, layout, record)}) == []
    assert len(made.feed([(0, 0, START_MS + 5 * INTERVAL_MS, 1.0)], 0)) == 0  # it is known already

    assert made.restore({name: SavedState("pump/0", LAYOUT_VERSION, record)}) == [name]
    assert made.restore({name: SavedState(bundle, layout, record[:-1])}) == [name]


def test_health_counts_what_the_bundle_has_given(make_bundle: MakeBundle) -> None:
    made = monitor(make_bundle, source="stdin", stream="a")
    made.read(message(b"1"))
    for slot in range(20):
        made.feed([(0, 0, START_MS + slot * INTERVAL_MS, 500.0 if slot == 15 else slot % 3 / 10)], 0)
    made.fails()
    health = made.health
    assert (health.verdicts, health.alarms, health.failures, health.not_finite) == (20, 1, 1, 0)
    assert health.newest_ms == (START_MS // INTERVAL_MS + 19) * INTERVAL_MS
    assert health.scored >= 16
