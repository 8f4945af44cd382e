from pathlib import Path
from typing import Any

import pytest
import yaml

from edge.errors import ConfigError
from service.configuration import read_settings


def read(tmp_path: Path, **more: Any) -> Any:
    path = tmp_path / "foresense.yaml"
    monitors = {"main": {"topic": "plant/{device}/{channel}", "bundle": "pump"}}
    path.write_text(yaml.safe_dump({"monitors": monitors} | more))
    return read_settings(path)


def test_it_is_off_unless_it_is_enabled(tmp_path: Path) -> None:
    settings = read(tmp_path)
    assert not settings.home_assistant.enabled
    assert settings.home_assistant.mute_ms == 8 * 3_600_000
    assert settings.home_assistant_broker == ""


@pytest.mark.parametrize(
    ("own", "said"),
    [
        ({"prefix": "a/+"}, r"home_assistant.prefix: expected levels of a topic without '\+' and '#', got 'a/\+'"),
        ({"birth_topic": "a//b"}, "home_assistant.birth_topic: expected levels"),
        ({"mute": "long"}, "home_assistant.mute: "),
        ({"enabled": True, "broker": "north"}, "home_assistant.broker: expected one of brokers"),
        ({"enabled": True, "prefix": "plant"}, None),
    ],
)
def test_what_does_not_fit_is_refused(tmp_path: Path, own: dict[str, Any], said: str | None) -> None:
    if said is None:
        assert read(tmp_path, home_assistant=own).home_assistant.prefix == "plant"
        return
    with pytest.raises(ConfigError, match=said):
        read(tmp_path, home_assistant=own)


def test_of_several_brokers_one_must_be_named(tmp_path: Path) -> None:
    brokers = {"north": {"host": "a"}, "south": {"host": "b"}}
    monitors = {"main": {"topic": "plant/{device}/{channel}", "bundle": "pump", "broker": "north"}}
    with pytest.raises(ConfigError, match=r"home_assistant.broker: expected one of brokers \(north, south\), got none"):
        read(tmp_path, brokers=brokers, monitors=monitors, home_assistant={"enabled": True})
    settings = read(tmp_path, brokers=brokers, monitors=monitors, home_assistant={"enabled": True, "broker": "south"})
    assert settings.home_assistant_broker == "south"


@pytest.mark.parametrize("topic", ["homeassistant/{a}/{b}/{c}", "{a}/service/{b}/{c}/{channel}"])
def test_a_monitor_does_not_watch_what_home_assistant_is_told(tmp_path: Path, topic: str) -> None:
    monitors = {"main": {"topic": topic, "bundle": "pump"}}
    if topic.startswith("{"):
        monitors["main"]["topic"] = "{a}/{b}/{c}/{d}/state"
    assert read(tmp_path, monitors=monitors)
    with pytest.raises(ConfigError, match=r"main\.topic: expected topics other than those of home_assistant"):
        read(tmp_path, monitors=monitors, home_assistant={"enabled": True})
