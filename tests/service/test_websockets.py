"""Websockets, with the demo's broker: the mosquitto of Debian is built without them."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from iotcore import Broker

from edge.brokers.mqtt import Connection
from service.brokers.broker import BrokerSettings
from tests.service.authority import Authority
from tests.system.conftest import free_port, wait_until

CONFIGURATION = """
id = 0
[router]
id = 0
max_connections = 100
max_outgoing_packet_count = 200
max_segment_size = 1048576
max_segment_count = 10
[v4.1]
name = "plain"
listen = "127.0.0.1:{plain}"
next_connection_delay_ms = 1
[v4.1.connections]
connection_timeout_ms = 60000
max_payload_size = 200000
max_inflight_count = 100
[ws.1]
name = "websocket"
listen = "127.0.0.1:{port}"
next_connection_delay_ms = 1
{more}
[ws.1.connections]
connection_timeout_ms = 60000
max_payload_size = 200000
max_inflight_count = 100
"""


@pytest.fixture(params=["ws", "wss"])
def settings(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[BrokerSettings]:
    """Return how to reach a broker that speaks MQTT 3.1.1 over websockets."""
    authority, more, tls = Authority(tmp_path), "", None
    if request.param == "wss":
        files = authority.issue("here", host="127.0.0.1")
        more = f'[ws.1.tls]\ncertpath = "{files.certificate}"\nkeypath = "{files.key}"'
        tls = {"ca_file": authority.file}
    port, config = free_port(), tmp_path / "broker.toml"
    config.write_text(CONFIGURATION.format(plain=free_port(), port=port, more=more))
    with Broker(config_path=str(config)):
        yield BrokerSettings.model_validate(
            {"host": "127.0.0.1", "port": port, "protocol": "3.1.1", "transport": "websockets", "tls": tls}
        )


def test_messages_come_and_go_over_a_websocket_and_again_when_it_was_lost(settings: BrokerSettings) -> None:
    heard: list[bytes] = []
    connection = Connection(settings, "web", persistent=True)
    connection.on_open = lambda _session: connection.subscribe(["web/+"])
    subscribed: list[list[str]] = []
    connection.on_subscribed = subscribed.append
    connection.on_received = lambda messages: heard.extend(payload for *_, payload, _ in messages)
    connection.start()
    try:
        wait_until(lambda: len(subscribed) == 1, "subscribed")
        connection.publish("web/a", b"x" * 100_000, qos=1)
        wait_until(lambda: len(heard) == 1, "a large message comes")
        connection.drop()
        wait_until(lambda: len(subscribed) == 2, "subscribed again")
        connection.publish("web/a", b"again", qos=1)
        wait_until(lambda: b"again" in heard, "the next message comes")
    finally:
        connection.stop()
    assert heard[0] == b"x" * 100_000
