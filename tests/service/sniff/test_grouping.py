import pytest

from edge.topics import Template
from service.sniff.grouping import is_template, templates


@pytest.mark.parametrize(
    ("topics", "expected"),
    [
        (["plant/p1/flow", "plant/p1/heat", "plant/p2/flow", "plant/p2/heat"], ["plant/{device}/{channel}"]),
        (["a/n/p1/flow", "a/n/p2/flow", "a/s/p1/heat", "a/s/p1/flow"], ["a/{site}/{device}/{channel}"]),
        (["plant/p1/flow", "plant/p1/heat"], ["plant/p1/{channel}"]),
        (["plant/p1", "plant/p2"], ["plant/{device}"]),
        (["plant/p1/flow", "plant/p2/flow"], ["plant/{device}/flow"]),
        (["plant/boiler/temp", "plant/chiller/temp"], ["plant/{device}/temp"]),
        (["plant/p1/flow/value", "plant/p1/heat/value"], ["plant/p1/{channel}/value"]),
        (["plant/p1", "hall/p1"], ["plant/p1", "hall/p1"]),
        (["s1/temp", "s2/temp", "s3/temp", "s4/temp"], ["{device}/temp"]),
        (["plant/p1", "plant/p1/flow", "plant/p1/heat"], ["plant/p1", "plant/p1/{channel}"]),
        (["a/1/2/3/4/5/6", "a/2/3/4/5/6/7"], ["a/{level0}/{level1}/{site}/{area}/{line}/{device}"]),
        (["x"], ["x"]),
    ],
)
def test_levels_that_vary_become_placeholders(topics: list[str], expected: list[str]) -> None:
    found = templates("number", topics, True)
    assert list(found) == expected
    for template, own in found.items():
        assert is_template(template, own)
    assert sorted(topic for own in found.values() for topic in own) == sorted(topics)


def test_a_payload_that_names_channels_leaves_none_for_the_topic() -> None:
    assert list(templates("json", ["plant/a/x", "plant/a/y"], False)) == ["plant/a/{device}"]


@pytest.mark.parametrize(
    ("convention", "topic", "expected"),
    [
        ("sparkplug", "spBv1.0/g/NDATA/n", "spBv1.0/{group}/{_type}/{node}/{device...}"),
        ("tasmota", "tele/plug/SENSOR", "tele/{device}/SENSOR"),
        ("tasmota", "plug/tele/SENSOR", "{device}/tele/SENSOR"),
        ("zigbee2mqtt", "zigbee2mqtt/lamp", "zigbee2mqtt/{device}"),
        ("esphome", "node/sensor/temp/state", "{device}/sensor/{channel}/state"),
        ("homeassistant", "homeassistant/sensor/temp/state", "homeassistant/sensor/{device}/state"),
    ],
)
def test_a_convention_with_topics_of_its_own_has_their_template(convention: str, topic: str, expected: str) -> None:
    assert list(templates(convention, [topic], False)) == [expected]
    assert Template(expected).match(topic)


@pytest.mark.parametrize("topic", ["a//b", "a/{b}c", "/a", "a/b{"])
def test_a_topic_that_can_be_no_template_is_told(topic: str) -> None:
    assert not is_template(topic, [topic])
