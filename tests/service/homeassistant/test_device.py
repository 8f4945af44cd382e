import json
import re

from edge.manifest import Channel
from service.homeassistant.device import announcement, device_of, place_of
from tests.service.homeassistant.conftest import check_announcement

CHANNELS = (Channel("flow", "m3/h"), Channel("<img>"))
KEY = ("pumps", "north/pump-1")


def test_an_announcement_is_one_that_home_assistant_takes() -> None:
    device = device_of(KEY, "homeassistant", "foresense")
    body, components = announcement(device, KEY, "foresense", CHANNELS, "pump/1", {})
    told = check_announcement(device.config, body)

    assert told["device"] == {
        "identifiers": [device.ident], "name": "north/pump-1", "manufacturer": "Foresense", "model": "monitor pumps",
        "sw_version": "pump/1",
    }  # fmt: skip
    assert told["origin"]["name"] == "foresense"
    assert [each["topic"] for each in told["availability"]] == [
        "foresense/service/availability",
        f"foresense/service/homeassistant/{device.ident}/availability",
    ]
    assert told["availability_mode"] == "all"
    flow = told["components"][place_of("flow")]
    assert (flow["name"], flow["unit_of_measurement"]) == ("Expected flow", "m3/h")
    assert "unit_of_measurement" not in told["components"][place_of("<img>")]
    assert components == {name: each["platform"] for name, each in told["components"].items()}


def test_an_entity_that_is_gone_has_its_platform_only() -> None:
    device = device_of(KEY, "homeassistant", "foresense")
    body, components = announcement(device, KEY, "foresense", CHANNELS, "pump/2", {place_of("level"): "sensor"})
    assert json.loads(body)["components"][place_of("level")] == {"platform": "sensor"}
    assert place_of("level") not in components


def test_a_device_is_the_same_whenever_it_is_asked_for_and_no_other_stream_has_its_id() -> None:
    idents = [
        device_of(key, "homeassistant", prefix).ident
        for key in (KEY, ("pumps", "north/pump-2"), ("pumps/north", "pump-1"))
        for prefix in ("foresense", "other")
    ]
    assert len(set(idents)) == 6
    assert device_of(KEY, "elsewhere", "foresense").ident == idents[0]


def test_no_name_reaches_a_topic_an_id_or_a_template() -> None:
    key = ("<b>", "a/+/#\0\n{{ x }}'\"" + "x" * 1000)
    device = device_of(key, "homeassistant", "foresense")
    body, _ = announcement(device, key, "foresense", [Channel("{{ 7 * 7 }}\n", "<i>")], "pump/1", {})
    told = check_announcement(device.config, body)
    assert re.fullmatch(r"foresense_[0-9a-f]{24}", device.ident)
    assert told["device"]["name"].startswith("a/+/#  {{ x }}'\"x")
    assert len(told["device"]["name"]) == 200
