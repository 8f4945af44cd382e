from typing import Any

from service.doctor.finding import Level
from service.doctor.home_assistant import look_at_home_assistant
from service.settings import Settings
from tests.service.doctor.test_broker import CONFIGURATION, default
from tests.system.conftest import Broker, World, free_port

__all__ = ["default"]


def settings(port: int, **own: Any) -> Settings:
    return Settings.model_validate(
        {
            "broker": {"host": "127.0.0.1", "port": port, "client_id": "ours"},
            "publish": {"prefix": "own"},
            "monitors": {"main": {"topic": "plant/{device}/{channel}", "bundle": "pump"}},
            "home_assistant": {"enabled": True, "prefix": "ha-doctor"} | own,
        }
    )


def test_a_broker_that_lets_us_announce_is_in_order_and_nothing_is_left_behind(broker: Broker, world: World) -> None:
    world.listen("ha-doctor/#")
    found = list(look_at_home_assistant(settings(broker.port)))
    assert [finding.level for finding in found] == [Level.OK, Level.OK]
    assert [payload for _, payload in world.heard] == [b""]


def test_nothing_is_tried_if_it_is_not_enabled(broker: Broker) -> None:
    assert list(look_at_home_assistant(settings(broker.port, enabled=False))) == []


def test_a_broker_that_does_not_let_us_is_told_with_what_mends_it(default: Broker) -> None:
    assert CONFIGURATION
    subscribed, published = look_at_home_assistant(settings(default.port))
    assert published.level is Level.FAIL
    assert "we may not publish to ha-doctor/device/foresense_" in published.said
    assert "allow ours-homeassistant to write ha-doctor/device/+/config" in published.remedy
    del subscribed


def test_a_broker_that_is_away_is_told() -> None:
    (finding,) = look_at_home_assistant(settings(free_port()))
    assert (finding.level, finding.subject) == (Level.FAIL, "home_assistant")
