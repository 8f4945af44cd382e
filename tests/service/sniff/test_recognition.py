import gzip

import cbor2
import pytest

from service.payloads.protobuf import encode
from service.sniff.recognition import recognise, telling_tags
from tests.service.sniff.conftest import said, survey_of


@pytest.mark.parametrize(
    ("topic", "payload", "expected"),
    [
        ("a/b", b"21.5", "number"),
        ("a/b", gzip.compress(b"21.5", mtime=0), "number"),
        ("a/b", b'{"value": 1}', "json"),
        ("a/b", b'[{"v": 1, "ts": 1700000000}]', "json"),
        ("a/b", b'{"linkquality": 1, "power": 2}', "zigbee2mqtt"),
        ("tele/a/SENSOR", b'{"Time": "2024-01-01T00:00:00", "A": {"B": 1}}', "tasmota"),
        ("n/sensor/x/state", b"unavailable", "esphome"),
        ("hass/sensor/x/state", b"1", "homeassistant"),
        ("a/b", b'{"name": "m", "fields": {"v": 1}, "tags": {}, "timestamp": 1700000000}', "telegraf"),
        ("a/b", b'{"metrics": {"name": "m", "fields": {"v": 1}, "timestamp": 1700000000}}', "telegraf"),
        ("a/b", b"m,t=1 v=1", "influx"),
        ("a/b", b'[{"n": "x", "v": 1}]', "senml"),
        ("a/b", cbor2.dumps([{0: "x", 2: 1}]), "senml"),
        ("spBv1.0/g/NDATA/n", encode(timestamp=1_700_000_000_000), "sparkplug"),
        ("a/b", b"online", None),
        ("a/b", b'{"state": "ON"}', None),
        ("a/b", b"\xff\xd8\xff", None),
        ("a/b", b"", None),
        ("a/b", b"unavailable", None),
        ("a/b", gzip.compress(b"1", mtime=0)[:-2], None),
        ("spBv1.0/g/NDATA/n", b"online", None),
    ],
)
def test_a_convention_is_told_by_its_messages(topic: str, payload: bytes, expected: str | None) -> None:
    form = recognise(survey_of(said(topic, payload)).topics[topic])
    assert (form and form.convention) == expected


def test_what_most_messages_are_counts_and_fields_of_all_are_put_together() -> None:
    messages = [said("a", payload) for payload in ("hello", '{"x": 1, "y": 2}', '{"y": 1, "z": 2}', "17")]
    form = recognise(survey_of(*messages).topics["a"])
    assert form is not None
    assert form.settings == {"fields": {"x": "x", "y": "y", "z": "z"}}


def test_units_are_found_where_messages_tell_them() -> None:
    pack = b'[{"bn": "d:", "bu": "l/s", "n": "flow", "v": 1}, {"n": "temp", "u": "Cel", "v": 1}]'
    form = recognise(survey_of(said("a", pack)).topics["a"])
    assert form is not None
    assert form.units == {"flow": "l/s", "temp": "Cel"}


@pytest.mark.parametrize(
    ("tags", "expected"),
    [
        ([{"host": "h", "cpu": "1"}, {"host": "h", "cpu": "2"}], ["cpu"]),
        ([{"host": "h", "topic": "x"}, {"host": "h", "topic": "y"}], ["host"]),
        ([{"host": "h"}, {"disk": "1"}], []),
        ([{}], []),
        ([], []),
    ],
)
def test_tags_that_tell_metrics_apart_are_chosen(tags: list[dict[str, str]], expected: list[str]) -> None:
    assert telling_tags(tags) == expected
