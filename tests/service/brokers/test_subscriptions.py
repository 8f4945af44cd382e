import logging
from pathlib import Path

import pytest

from service.brokers.broker import BrokerSettings
from service.brokers.subscriptions import Subscriptions
from service.storage.access import Access
from service.storage.store import Store
from tests.service.conftest import MakeMonitor


def subscriptions(store: Store, **broker: object) -> Subscriptions:
    return Subscriptions(Access(store.path), {"": BrokerSettings.model_validate(broker)})


def test_what_a_session_was_subscribed_to_is_known_to_the_next_process(store: Store, make_monitor: MakeMonitor) -> None:
    pumps, fans = make_monitor("pumps/{device}"), make_monitor("fans/{device}", {"version": "2"}, "fans")
    subscriptions(store).remember([pumps, fans])
    assert subscriptions(store).others([pumps, fans]) == {"": []}
    assert subscriptions(store).others([pumps]) == {"": ["fans/+"]}
    subscriptions(store).remember([pumps])
    assert subscriptions(store).others([fans]) == {"": ["pumps/+"]}


def test_what_a_broker_has_ended_is_forgotten_unless_it_is_needed_again(
    store: Store, make_monitor: MakeMonitor
) -> None:
    pumps, fans = make_monitor("pumps/{device}"), make_monitor("fans/{device}", {"version": "2"}, "fans")
    kept = subscriptions(store)
    kept.remember([pumps, fans])
    kept.remember([pumps])
    kept.forget({"": ["pumps/+", "fans/+"]})
    assert subscriptions(store).others([]) == {"": ["pumps/+"]}


@pytest.mark.parametrize("other", [{"client_id": "other"}, {"host": "elsewhere"}, {"port": 1884}])
def test_each_session_has_its_own(other: dict[str, object], store: Store, make_monitor: MakeMonitor) -> None:
    subscriptions(store).remember([make_monitor()])
    assert subscriptions(store, **other).others([]) == {"": []}


def test_a_database_that_cannot_be_written_is_told_of(
    tmp_path: Path, make_monitor: MakeMonitor, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):
        Subscriptions(Access(tmp_path / "none.db"), {"": BrokerSettings()}).remember([make_monitor()])
    assert "subscriptions cannot be kept: " in caplog.text
