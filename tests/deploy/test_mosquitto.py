"""The broker's example configurations, with the real broker."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from edge.brokers.mqtt import Connection
from service.brokers.broker import BrokerSettings
from tests.service.authority import Authority
from tests.system.conftest import MOSQUITTO, Broker, wait_until

DEPLOY = Path(__file__).parents[2] / "deploy" / "mosquitto"
CLIENTS = ("foresense", "operators", "release", "pump-1", "pump-2")


def configuration(folder: Path, name: str) -> str:
    """Return an example with the places of a test: its folder, and a loopback port yet to be filled in."""
    text = (DEPLOY / name).read_text()
    text = re.sub(r"/mosquitto/(certs|config|data)/", f"{folder}/", text)
    assert "{" not in text
    return re.sub(r"^listener \d+$", "listener {port} 127.0.0.1", text, flags=re.MULTILINE)


class Client:
    """A connection that remembers what it heard, and what was refused to it."""

    def __init__(self, settings: BrokerSettings, name: str) -> None:
        self.heard: list[str] = []
        self.answers: list[str | None] = []
        self._subscribed: list[list[str]] = []
        self.connection = Connection(settings, name)
        self.connection.on_open = lambda _session: self.connection.subscribe(
            ["plant/#", "foresense/#", "$SYS/broker/#"]
        )
        self.connection.on_subscribed = self._subscribed.append
        self.connection.on_received = lambda messages: self.heard.extend(topic for _, _, topic, *_ in messages)
        self.connection.on_published = lambda _mid, refused: self.answers.append(refused)
        self.connection.start()
        wait_until(lambda: bool(self._subscribed), f"{name} is subscribed")

    def may_publish(self, topic: str) -> bool:
        """Publish, and return whether the broker has allowed it."""
        before = len(self.answers)
        self.connection.publish(topic, b"1", qos=1)
        wait_until(lambda: len(self.answers) > before, "the broker answers")
        return self.answers[-1] is None


@pytest.fixture
def clients(tmp_path: Path) -> Iterator[dict[str, Client]]:
    """Return the clients of a broker with TLS."""
    if MOSQUITTO is None:
        pytest.skip("needs a broker: apt-get install mosquitto")
    authority = Authority(tmp_path, "ca")
    authority.issue("broker", host="127.0.0.1")
    (tmp_path / "acl").write_text((DEPLOY / "acl").read_text())
    broker = Broker(tmp_path, configuration(tmp_path, "tls.conf")).start()
    made = {}
    for name in CLIENTS:
        files = authority.issue(name)
        tls = {"ca_file": authority.file, "certificate_file": files.certificate, "key_file": files.key}
        settings: dict[str, Any] = {"host": "127.0.0.1", "port": broker.port, "tls": tls}
        made[name] = Client(BrokerSettings.model_validate(settings), name)
    yield made
    for client in made.values():
        client.connection.stop()
    broker.stop()


def test_each_client_has_the_topics_that_it_needs_and_no_others(clients: dict[str, Client]) -> None:
    asked = {
        (name, topic): clients[name].may_publish(topic)
        for name in CLIENTS
        for topic in ("plant/north/pump-1/flow", "plant/north/pump-2/flow", "foresense/north/pump-1/alarm")
    }
    assert [key for key, may in asked.items() if may] == [
        ("foresense", "foresense/north/pump-1/alarm"),
        ("pump-1", "plant/north/pump-1/flow"),
        ("pump-2", "plant/north/pump-2/flow"),
    ]
    topics = ("plant/north/pump-1/flow", "plant/north/pump-2/flow", "foresense/north/pump-1/alarm")
    wait_until(lambda: set(topics) <= set(clients["foresense"].heard), "the service hears the plant and itself")
    assert any(topic.startswith("$SYS/") for topic in clients["foresense"].heard)
    assert set(clients["operators"].heard) == {"foresense/north/pump-1/alarm"}
    assert not clients["pump-1"].heard
    assert not clients["pump-2"].heard


def test_both_examples_keep_the_same_that_foresense_has_not_taken() -> None:
    kept = [
        set(re.findall(r"^(?:persistence|autosave|max|set)\w* .*$", (DEPLOY / name).read_text(), re.MULTILINE))
        for name in ("mosquitto.conf", "tls.conf")
    ]
    assert kept[0] == kept[1]
    assert len(kept[0]) == 7


def test_the_plain_example_starts(tmp_path: Path) -> None:
    if MOSQUITTO is None:
        pytest.skip("needs a broker: apt-get install mosquitto")
    broker = Broker(tmp_path, configuration(tmp_path, "mosquitto.conf")).start()
    client = Client(BrokerSettings(host="127.0.0.1", port=broker.port), "plain")
    assert client.may_publish("plant/north/pump-1/flow")
    client.connection.stop()
    broker.stop()


def test_a_device_gets_only_its_own_orders_and_reports_only_of_itself(clients: dict[str, Client]) -> None:
    names = ("operators", "release", "pump-1", "pump-2")
    base = "foresense/fleet/pump-1"
    topics = [f"{base}/{kind}" for kind in ("state", "request", "chunk", "order/pump")]
    asked = {(name, topic): clients[name].may_publish(topic) for name in names for topic in topics}
    assert [key for key, may in asked.items() if may] == [
        ("release", f"{base}/chunk"),
        ("release", f"{base}/order/pump"),
        ("pump-1", f"{base}/state"),
        ("pump-1", f"{base}/request"),
    ]
    wait_until(lambda: set(topics) <= set(clients["operators"].heard), "the operators hear all")
    assert set(clients["pump-1"].heard) == {f"{base}/chunk", f"{base}/order/pump"}
    assert set(clients["release"].heard) == {f"{base}/state", f"{base}/request"}
    assert not clients["pump-2"].heard
