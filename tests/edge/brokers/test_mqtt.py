"""Connections with a real broker: TLS, who we are, what is said when it does not work, and back-off."""

import logging
import os
import shutil
import socket
import subprocess
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from threading import Thread
from typing import Any, NamedTuple

import pytest
from paho.mqtt.client import Client

from edge.brokers.mqtt import Connection
from edge.errors import ConfigError
from service.brokers.broker import BrokerSettings
from tests.service.authority import Authority, handshake_fails
from tests.system.conftest import Broker, free_port, wait_until

PLAIN = """
per_listener_settings true
listener {{port}} 127.0.0.1
allow_anonymous true
persistence_location {{folder}}/
log_dest none

listener {password} 127.0.0.1
allow_anonymous false
password_file {folder}/passwords
"""
SECURE = """
listener {port} 127.0.0.1
allow_anonymous {anonymous}
certfile {folder}/{certificate}.crt
keyfile {folder}/{certificate}.key
"""
MUTUAL = """cafile {folder}/authority.crt
require_certificate true
use_identity_as_username true
"""


def configuration(folder: Path, ports: dict[str, int]) -> str:
    """Return a configuration with a listener for each port."""
    certificates = {"secure": "here", "expired": "late", "other": "elsewhere", "mutual": "here"}
    secure = [
        SECURE.format(port=ports[name], folder=folder, certificate=certificate, anonymous=str(name != "mutual").lower())
        for name, certificate in certificates.items()
    ]
    return PLAIN.format(folder=folder, **ports) + "".join(secure) + MUTUAL.format(folder=folder)


class Secured(NamedTuple):
    """A broker with a listener for each case, and the files that clients need."""

    broker: Broker
    ports: dict[str, int]
    folder: Path

    @property
    def trusted(self) -> dict[str, Any]:
        return {"ca_file": self.folder / "authority.crt"}


@pytest.fixture(scope="module")
def secured(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Secured]:
    passwords = shutil.which("mosquitto_passwd", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
    if passwords is None:
        pytest.skip("needs a broker: apt-get install mosquitto")
    folder = tmp_path_factory.mktemp("secured")
    authority = Authority(folder)
    authority.issue("here", host="127.0.0.1")
    authority.issue("late", host="127.0.0.1", expires=timedelta(hours=-1))
    authority.issue("elsewhere", host="plant.example")
    authority.issue("us")
    authority.issue("locked", password=b"sesame")
    Authority(folder, "stranger").issue("stranger-client")
    subprocess.run([passwords, "-c", "-b", folder / "passwords", "us", "hush"], check=True, capture_output=True)
    (folder / "right").write_text("hush\n")
    (folder / "wrong").write_text("hash\n")
    (folder / "sesame").write_text("sesame\n")
    ports = {name: free_port() for name in ("secure", "expired", "other", "mutual", "password")}
    broker = Broker(folder, configuration(folder, ports)).start()
    yield Secured(broker, ports, folder)
    broker.stop()


Connect = Callable[..., Connection]


def _count(connection: Connection, tries: list[int]) -> None:
    before = connection._client.on_pre_connect
    assert before is not None

    def counted(client: Client, userdata: Any) -> None:
        tries.append(1)
        before(client, userdata)

    connection._client.on_pre_connect = counted


@pytest.fixture
def connect() -> Iterator[Connect]:
    """Return a maker of connections that are started, with their settings."""
    made: list[Connection] = []

    def make(to: int, name: str = "us", tries: list[int] | None = None, **settings: Any) -> Connection:
        wanted = {"host": "127.0.0.1", "keepalive": 5} | settings | {"port": to}
        made.append(Connection(BrokerSettings.model_validate(wanted), name, persistent=True))
        if tries is not None:
            _count(made[-1], tries)
        made[-1].start()
        return made[-1]

    yield make
    for connection in made:
        connection.stop()


@pytest.mark.parametrize("protocol", [5, "3.1.1"])
def test_tls_with_an_authority_of_ones_own(secured: Secured, connect: Connect, protocol: int | str) -> None:
    connection = connect(secured.ports["secure"], tls=secured.trusted, protocol=protocol)
    wait_until(lambda: connection.is_open, "connected")


@pytest.mark.parametrize("who", ["us", "locked"])
def test_a_client_certificate(secured: Secured, connect: Connect, who: str) -> None:
    own = {"certificate_file": secured.folder / f"{who}.crt", "key_file": secured.folder / f"{who}.key"}
    if who == "locked":
        own["key_password_file"] = secured.folder / "sesame"
    connection = connect(secured.ports["mutual"], tls=secured.trusted | own)
    wait_until(lambda: connection.is_open, "connected")


@pytest.mark.parametrize("protocol", [5, "3.1.1"])
def test_a_password(secured: Secured, connect: Connect, protocol: int | str) -> None:
    right = {"username": "us", "password_file": secured.folder / "right", "protocol": protocol}
    connection = connect(secured.ports["password"], **right)
    wait_until(lambda: connection.is_open, "connected")


FAILURES: dict[str, tuple[str, dict[str, Any], str]] = {
    "authority": (
        "secure",
        {"tls": {"ca_file": "stranger.crt"}},
        "cannot be reached: its certificate is of no authority that {folder}/stranger.crt knows; tls.ca_file names",
    ),
    "system": ("secure", {"tls": True}, "its certificate is of no authority that this system knows"),
    "expired": ("expired", {"tls": {"ca_file": "authority.crt"}}, "its certificate has expired"),
    "host": ("other", {"tls": {"ca_file": "authority.crt"}}, "its certificate is for another name than 127.0.0.1"),
    "no-certificate": (
        "mutual",
        {"tls": {"ca_file": "authority.crt"}},
        "it ended the connection before it accepted us; does it expect a client certificate, and know ours?",
    ),
    "unknown-certificate": (
        "mutual",
        {
            "tls": {
                "ca_file": "authority.crt",
                "certificate_file": "stranger-client.crt",
                "key_file": "stranger-client.key",
            }
        },
        "it ended the connection before it accepted us; does it expect a client certificate, and know ours?",
    ),
    "plain": ("secure", {}, "it ended the connection before it accepted us; does it expect tls there?"),
    "tls-on-plain": ("password", {"tls": True}, "it ended the TLS handshake; does it speak TLS there?"),
    "password": (
        "password",
        {"username": "us", "password_file": "wrong"},
        "refuses us: not authorised; it accepts neither username and password nor certificate",
    ),
    "anonymous": ("password", {}, "refuses us: not authorised"),
    "password-311": ("password", {"username": "us", "password_file": "wrong", "protocol": "3.1.1"}, "refuses us: not"),
    "websocket": ("password", {"transport": "websockets"}, "no websocket for MQTT at /mqtt"),
}


@handshake_fails
@pytest.mark.parametrize("case", FAILURES)
def test_what_is_wrong_is_said_in_a_sentence_once(
    secured: Secured, connect: Connect, caplog: pytest.LogCaptureFixture, case: str
) -> None:
    listener, settings, expected = FAILURES[case]
    given = BrokerSettings.model_validate({"host": "127.0.0.1"} | settings).relative_to(secured.folder)
    tries: list[int] = []
    with caplog.at_level(logging.INFO):
        connection = connect(secured.ports[listener], tries=tries, **given.model_dump(exclude_unset=True))
        wait_until(lambda: len(tries) >= 2, "it is tried again")
        connection.stop()
    said = [record.getMessage() for record in caplog.records if "disconnected" not in record.getMessage()]
    assert len(said) == 1, said
    assert expected.format(folder=secured.folder) in said[0]
    assert connection._broker.address in said[0]
    assert not connection.is_open


def test_a_host_that_is_not_there_and_one_that_is_not_known(connect: Connect, caplog: pytest.LogCaptureFixture) -> None:
    connect(free_port())
    wait_until(lambda: "cannot be reached: nothing listens there; trying again" in caplog.text, "it is told")
    connect(1883, host="nowhere.invalid")
    wait_until(lambda: "cannot be reached: the name nowhere.invalid is not known" in caplog.text, "it is told")


@pytest.mark.parametrize(
    ("tls", "said"),
    [
        ({"ca_file": "none.crt"}, "ca_file: .*none.crt: expected certificates of authorities .*, got: No such file"),
        ({"ca_file": "us.key"}, "ca_file: .*us.key: expected certificates .*, got: no certificate or crl found"),
        ({"certificate_file": "none.crt"}, "certificate_file: .*none.crt: expected a certificate .*No such file"),
        (
            {"certificate_file": "us.crt", "key_file": "locked.key"},
            r"us.crt and .*locked.key: expected a certificate and its key \(PEM\) \(one that is enc",
        ),
        ({"certificate_file": "us.crt", "key_file": "here.key"}, "expected a certificate .*key values mismatch"),
    ],
)
def test_a_file_that_cannot_be_used_stops_the_start(secured: Secured, tls: dict[str, str], said: str) -> None:
    settings = BrokerSettings.model_validate({"tls": tls}).relative_to(secured.folder)
    with pytest.raises(ConfigError, match=rf"^tls\..*{said}"):
        settings.check_files()


def test_a_renewed_password_is_used_for_the_next_connection(
    secured: Secured, connect: Connect, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    password = tmp_path / "password"
    password.write_text("old")
    connection = connect(secured.ports["password"], username="us", password_file=password)
    wait_until(lambda: "refuses us" in caplog.text, "the old one is refused")
    password.write_text("hush")
    wait_until(lambda: connection.is_open, "connected")


def test_no_delay_is_asked_of_tcp_beneath_tls(secured: Secured, connect: Connect) -> None:
    connection = connect(secured.ports["secure"], tls=secured.trusted)
    wait_until(lambda: connection.is_open, "connected")
    sock: Any = connection._client.socket()
    assert sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY) == 1


def test_a_dropped_tls_connection_comes_back(secured: Secured, connect: Connect) -> None:
    connection = connect(secured.ports["secure"], tls=secured.trusted)
    wait_until(lambda: connection.is_open, "connected")
    before = connection.epoch
    connection.drop()
    wait_until(lambda: connection.epoch > before and connection.is_open, "connected again")


def test_a_connection_that_is_lost_after_one_that_we_dropped_is_told_of(
    broker: Broker, connect: Connect, caplog: pytest.LogCaptureFixture
) -> None:
    connection = connect(broker.port)
    wait_until(lambda: connection.is_open, "connected")
    before = connection.epoch
    connection.drop()
    wait_until(lambda: connection.epoch > before and connection.is_open, "connected again")
    assert "disconnected" not in caplog.text, "what we do ourselves is no trouble"
    broker.stop()
    wait_until(lambda: "disconnected from" in caplog.text, "it is told")


@pytest.mark.slow
@pytest.mark.parametrize("protocol", [5, "3.1.1"])
def test_two_clients_of_one_name_do_not_fight(
    broker: Broker, connect: Connect, caplog: pytest.LogCaptureFixture, protocol: int | str
) -> None:
    taken: list[str] = []
    for which in ("first", "second"):
        twin = connect(broker.port, f"twin-{protocol}", protocol=protocol)
        twin.on_taken_over = lambda which=which: taken.append(which)  # type: ignore[misc]
    wait_until(lambda: bool(taken), "one is told")
    assert "as often before: has another client our client_id? each service needs one of its own" in caplog.text


@pytest.fixture
def fake() -> Iterator[Callable[[bytes], int]]:
    """Return a maker of fake brokers that accept a client and end its connection with a packet; none here says 0x8E."""
    sockets: list[socket.socket] = []

    def serve(server: socket.socket, farewell: bytes) -> None:
        with suppress(OSError):
            while True:
                client, _ = server.accept()
                with client:
                    client.recv(4096)
                    client.sendall(b"\x20\x03\x00\x00\x00" + farewell)

    def make(farewell: bytes) -> int:
        sockets.append(socket.create_server(("127.0.0.1", 0)))
        Thread(target=serve, args=(sockets[-1], farewell), daemon=True).start()
        return int(sockets[-1].getsockname()[1])

    yield make
    for server in sockets:
        server.shutdown(socket.SHUT_RDWR)
        server.close()


@pytest.mark.parametrize(
    ("reason", "said"),
    [
        (0x8E, "another client has connected with our client_id and has taken the session over; each service needs"),
        (0x8B, "it shuts down"),
        (0x98, "its administrator has ended it"),
        (0x9B, "it says qos not supported"),
    ],
)
def test_a_broker_that_says_why_it_ends_a_connection_is_quoted(
    fake: Callable[[bytes], int], connect: Connect, caplog: pytest.LogCaptureFixture, reason: int, said: str
) -> None:
    tries: list[int] = []
    connection = connect(fake(bytes([0xE0, 2, reason, 0])), tries=tries)
    wait_until(lambda: said in caplog.text, "it is quoted")
    if reason == 0x8E:
        with pytest.raises(AssertionError, match="not within 3 s"):
            wait_until(lambda: len(tries) > 1, "it is tried again", 3)
    else:
        wait_until(lambda: len(tries) > 1, "it is tried again")
    connection.stop()
