import json
import time
from pathlib import Path
from threading import Thread

import pytest

from edge.receipt_clock import wall_ms
from service.brokers.broker import BrokerSettings
from service.simulate.feed import Feed
from service.simulate.plant import Plant
from tests.system.conftest import CONFIGURATION, MOSQUITTO, Broker, World, wait_until

SLOTS = 180


def feed_of(broker: Broker) -> Feed:
    settings = BrokerSettings(host="127.0.0.1", port=broker.port, client_id="simulated-plant")
    return Feed(settings, Plant(1, 10_000, 1, has_faults=False))


def test_a_broker_that_is_away_for_a_while_has_every_message_in_the_end(broker: Broker) -> None:
    world = World(broker, session="plant-watcher")
    world.listen("plant/#")
    feed, start = feed_of(broker), wall_ms() - SLOTS * 10_000
    thread = Thread(target=feed.run, args=(start, start + SLOTS * 10_000, 900.0))
    thread.start()
    wait_until(lambda: len(world.heard) > 50, "it sends")
    broker.stop()
    time.sleep(0.5)
    assert thread.is_alive()
    broker.start()
    thread.join(60)
    assert not thread.is_alive()
    wait_until(lambda: len(set(world.heard)) == feed.messages, "all has come, some of it twice")
    world.close()


def test_what_lies_ahead_is_sent_when_its_time_has_come(broker: Broker, world: World) -> None:
    world.listen("plant/#")
    settings = BrokerSettings(host="127.0.0.1", port=broker.port, client_id="simulated-live")
    now = wall_ms()
    Feed(settings, Plant(1, 500, 1, has_faults=False)).run(now - 1000, now + 1000, float("inf"))
    took = wall_ms() - now
    assert 400 < took < 5000
    newest = max(json.loads(payload)["time"] for _, payload in world.heard)
    assert now < newest < now + 1000


def test_it_ends_when_it_is_told_to(broker: Broker) -> None:
    feed = Feed(
        BrokerSettings(host="127.0.0.1", port=broker.port, client_id="simulated-endless"), Plant(1, 10_000, 1, True)
    )
    thread = Thread(target=feed.run, args=(wall_ms(), None, 1.0))
    thread.start()
    time.sleep(0.3)
    feed.stop()
    thread.join(10)
    assert not thread.is_alive()


def test_a_broker_that_refuses_messages_is_told_of_once(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    if MOSQUITTO is None:
        pytest.skip("needs a broker: apt-get install mosquitto")
    (tmp_path / "acl").write_text("topic read plant/#\n")
    broker = Broker(tmp_path, f"{CONFIGURATION}acl_file {tmp_path}/acl\n").start()
    now = wall_ms()
    feed_of(broker).run(now - 60_000, now, float("inf"))
    broker.stop()
    told = [record.message for record in caplog.records if "does not let us publish" in record.message]
    assert told == ["the broker does not let us publish: Not authorized"]
