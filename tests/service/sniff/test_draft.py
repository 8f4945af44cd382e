from random import Random

import pytest
import yaml

from edge.inbox import Message
from service.settings import Settings
from service.sniff.draft import Draft, draft
from service.sniff.proposal import configuration
from service.sniff.survey import Survey
from tests.service.payloads.corpus.samples import SAMPLES, damage
from tests.service.sniff.conftest import said, survey_of

OWN = "foresense"


def drafts(*messages: Message) -> dict[str, Draft]:
    return {made.template: made for made in draft(survey_of(*messages), OWN).drafts}


def test_every_convention_of_a_plant_is_found(surveyed: Survey) -> None:
    findings = draft(surveyed, OWN)
    found = {made.template: (made.settings["payload"], made.streams, made.channels) for made in findings.drafts}
    assert found == {
        "plant/{site}/{device}/{channel}": ("number", 3, ["flow", "heat"]),
        "hall/{device}": ("json", 2, ["load", "speed"]),
        "zigbee2mqtt/{device}": ("zigbee2mqtt", 1, ["linkquality", "temperature"]),
        "tele/{device}/SENSOR": ("tasmota", 1, ["AM2301.Temperature"]),
        "esp/sensor/{channel}/state": ("esphome", 1, ["level", "temp"]),
        "homeassistant/sensor/{device}/state": ("homeassistant", 1, ["value"]),
        "telegraf/h": ("telegraf", 1, ["cpu.idle"]),
        "lines": ("influx", 2, ["pump.flow"]),
        "senml/a": ("senml", 1, ["flow"]),
        "spBv1.0/{group}/{_type}/{node}/{device...}": ("sparkplug", 1, ["press"]),
    }
    assert {made.interval_ms for made in findings.drafts if made.settings["payload"] != "esphome"} == {10_000}
    assert [topic.name for topic in findings.unknown] == ["zigbee2mqtt/bridge/state", "camera"]
    assert findings.overlapping == []
    units = {made.settings["payload"]: made.units for made in findings.drafts if made.units}
    assert units == {"tasmota": {"Temperature": "degC"}, "senml": {"flow": "l/s"}, "sparkplug": {"press": "bar"}}


def test_the_service_takes_the_monitors(surveyed: Survey) -> None:
    findings = draft(surveyed, OWN)
    monitors = {made.name: made.monitor(None) for made in findings.drafts}
    assert len(monitors) == len(findings.drafts)
    Settings.model_validate({"monitors": monitors})


def test_the_interval_is_the_median_of_the_spacing_and_retained_messages_tell_none() -> None:
    seconds = (0, 1.02, 2, 3.01, 9, 10)
    found = drafts(*(said("a", "1", s) for s in seconds), *(said("b", "1", s, retain=True) for s in seconds))
    assert (found["a"].interval_ms, found["b"].interval_ms) == (1000, None)
    assert drafts(said("a", "1", 0), said("a", "1", 7.7))["a"].interval_ms == 7700


def test_a_draft_that_would_overlap_is_split_if_that_helps() -> None:
    number = [said(f"plant/{device}/{name}", "1", k) for k in range(9) for device in ("p1", "p2") for name in "ab"]
    found = draft(survey_of(*number, *(said("plant/p1/info", '{"up": 1}', k) for k in range(3))), OWN)
    assert [made.template for made in found.drafts] == ["plant/{device}/{channel}"]
    assert [made.template for made in found.overlapping] == ["plant/p1/info"]

    states = [said(f"{node}/sensor/x/state", "1", k) for k in range(3) for node in ("esp1", "esp2", "homeassistant")]
    more = [said("homeassistant/sensor/y/state", "1", k) for k in range(9)]
    found = draft(survey_of(*states, *more), OWN)
    assert sorted(made.template for made in found.drafts) == [
        "esp1/sensor/{channel}/state",
        "esp2/sensor/{channel}/state",
        "homeassistant/sensor/{device}/state",
    ]
    assert found.overlapping == []


def test_a_first_level_may_be_of_devices_if_what_we_publish_is_not_among_them() -> None:
    states = [said(f"esp{k}/sensor/{name}/state", "1", s) for s in range(3) for k in range(3) for name in "ab"]
    assert drafts(*states).keys() == {"{device}/sensor/{channel}/state"}
    numbers = [said(f"p{k}/{name}", "1", s) for s in range(3) for k in range(3) for name in "ab"]
    assert drafts(*numbers).keys() == {"p0/{channel}", "p1/{channel}", "p2/{channel}"}


@pytest.mark.parametrize("topic", ["a//b", "a{b/c", "$share/x", "a/b\x07"])
def test_topics_that_no_template_can_have_are_passed_over(topic: str) -> None:
    assert drafts(said(topic, "1"), said("good", "1")).keys() == {"good"}


@pytest.mark.slow
def test_no_message_that_is_damaged_breaks_it() -> None:
    random = Random(7)  # noqa: S311
    for _ in range(150):
        messages = [
            said(f"{convention}/{k % 2}", damage(sample, random), k)
            for convention, _, samples in SAMPLES
            for k, sample in enumerate(samples * 3)
        ]
        findings = draft(survey_of(*messages), OWN)
        text = configuration(findings, {}, None)
        if findings.drafts:
            Settings.model_validate(yaml.safe_load(text))
