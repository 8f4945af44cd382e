import socket
import struct
from collections.abc import Iterator
from http.client import HTTPConnection
from threading import Event

import pytest

from edge.errors import ConfigError
from service.operation.health import Health, HealthServer, MetricsSettings
from tests.system.conftest import wait_until


@pytest.fixture
def port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


@pytest.fixture
def ready() -> Event:
    return Event()


@pytest.fixture
def server(port: int, ready: Event) -> Iterator[HealthServer]:
    server = HealthServer(
        MetricsSettings(port=port), Health(lambda accept: (accept, b"foresense 1\n"), lambda: True, ready.is_set)
    )
    server.start()
    yield server
    server.stop()


def ask(port: int, path: str, method: str = "GET") -> tuple[int, bytes]:
    connection = HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request(method, path, headers={"Accept": "text/plain"})
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()


@pytest.mark.usefixtures("server")
def test_it_answers_what_it_knows_and_nothing_else(port: int, ready: Event) -> None:
    assert ask(port, "/metrics?name=all") == (200, b"foresense 1\n")
    assert ask(port, "/healthz") == (200, b"yes\n")
    assert ask(port, "/readyz") == (503, b"no\n")
    ready.set()
    assert ask(port, "/readyz") == (200, b"yes\n")
    assert ask(port, "/../../etc/passwd")[0] == 404
    assert ask(port, "/metrics", "POST")[0] == 501


def test_it_listens_at_an_address_of_version_6_as_well(ready: Event) -> None:
    try:
        with socket.create_server(("::1", 0), family=socket.AF_INET6) as free:
            port = int(free.getsockname()[1])
    except OSError:
        pytest.skip("needs IPv6")
    settings = MetricsSettings(host="::1", port=port)
    server = HealthServer(settings, Health(lambda _: ("", b""), lambda: True, ready.is_set))
    server.start()
    try:
        with socket.create_connection(("::1", port), timeout=5) as client:
            client.sendall(b"GET /healthz HTTP/1.0\r\n\r\n")
            assert client.recv(100).startswith(b"HTTP/1.0 200 ")
    finally:
        server.stop()


def test_one_that_has_gone_before_its_answer_is_no_error(
    port: int, ready: Event, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    asked, gone = Event(), Event()

    def slow(_accept: str) -> tuple[str, bytes]:
        asked.set()
        gone.wait(5)
        return "", bytes(10_000_000)

    server = HealthServer(MetricsSettings(port=port), Health(slow, lambda: True, ready.is_set))
    server.start()
    with caplog.at_level("DEBUG"), socket.create_connection(("127.0.0.1", port)) as client:
        client.sendall(b"GET /metrics HTTP/1.1\r\n\r\n")
        assert asked.wait(5)
        client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        client.close()  # with a reset
        gone.set()
        wait_until(lambda: "a request of 127.0.0.1 failed" in caplog.text, "the request has ended")
    server.stop()
    assert {record.levelname for record in caplog.records if "failed" in record.message} == {"DEBUG"}
    assert "Traceback" not in capfd.readouterr().err


def test_a_port_that_is_taken_is_told_and_one_given_back_can_be_had_again(server: HealthServer, port: int) -> None:
    second = HealthServer(MetricsSettings(port=port), Health(lambda _: ("", b""), lambda: True, lambda: True))
    with pytest.raises(ConfigError, match=f"metrics: expected an address that is free, got 127.0.0.1:{port}: "):
        second.start()
    server.stop()
    second.start()
    second.stop()
