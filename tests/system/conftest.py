"""What the system tests share: a real broker, the real command, and a client that sees what the world sees."""

import os
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from threading import Condition
from typing import Any, Self

import msgspec
import pytest
import yaml
from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode

MOSQUITTO = shutil.which("mosquitto", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
PATIENCE_S = 20.0
CONFIGURATION = """
listener {port} 127.0.0.1
allow_anonymous true
persistence true
persistence_location {folder}/
autosave_interval 1
max_queued_messages 100000
max_inflight_messages 1000
set_tcp_nodelay true
log_dest file {folder}/mosquitto.log
"""


def wait_until(happened: Callable[[], bool], what: str, patience_s: float = PATIENCE_S) -> None:
    """Return once it happened; fail, saying what did not, if it takes too long."""
    deadline = time.monotonic() + patience_s
    while not happened():
        assert time.monotonic() < deadline, f"{what}: not within {patience_s:g} s"
        time.sleep(0.01)


def free_port() -> int:
    """Return a loopback port that nothing listens on."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


class Broker:
    """A mosquitto of our own on a free loopback port; it keeps sessions over a restart.

    Sessions are written down each second, so that they outlive a kill as well.
    """

    def __init__(self, folder: Path, configuration: str = CONFIGURATION) -> None:
        self.port = free_port()
        self._folder = folder
        self._config = folder / "mosquitto.conf"
        user = "user root\n" if os.geteuid() == 0 else ""  # else it could not write into the folder
        self._config.write_text(user + configuration.format(port=self.port, folder=folder))
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> Self:
        assert MOSQUITTO is not None
        self._process = subprocess.Popen([MOSQUITTO, "-c", str(self._config)], stderr=subprocess.DEVNULL)
        wait_until(self._answers, "mosquitto listens")
        return self

    def stop(self, by: signal.Signals = signal.SIGTERM) -> None:
        if self._process is not None:
            self._process.send_signal(by)
            self._process.send_signal(signal.SIGCONT)  # one that is frozen would not hear it
            self._process.wait(PATIENCE_S)
            self._process = None

    def send(self, number: signal.Signals) -> None:
        """Send the process a signal, such as SIGSTOP."""
        assert self._process is not None
        self._process.send_signal(number)

    def forget(self) -> None:
        """Lose the sessions of a broker that is stopped, and what was queued and retained."""
        (self._folder / "mosquitto.db").unlink()

    def _answers(self) -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0


class World:
    """An MQTT client that publishes as the devices do, and remembers all that it hears.

    With a `session` the broker keeps what it misses while there is no connection. With one message `inflight` its
    messages stay in order however often the connection is lost.
    """

    def __init__(self, broker: Broker, session: str = "", inflight: int = 1000) -> None:
        self.heard: list[tuple[str, bytes]] = []
        self._filters: list[str] = []
        self._changed = Condition()
        self._client = Client(CallbackAPIVersion.VERSION2, session, clean_session=not session)
        self._client.max_inflight_messages_set(inflight)
        self._client.on_message = self._hear
        self._client.on_connect = self._connected
        self._client.connect("127.0.0.1", broker.port)
        self._client.loop_start()

    def listen(self, topic: str) -> None:
        self._filters.append(topic)
        subscribed = Condition()
        with subscribed:
            self._client.on_subscribe = lambda *_: _notify(subscribed)
            self._client.subscribe(topic, 1)
            assert subscribed.wait(PATIENCE_S)

    def publish(
        self,
        messages: Iterable[tuple[str, bytes | str]],
        pause_s: float = 0,
        retain: bool = False,
        patience_s: float = PATIENCE_S,
    ) -> None:
        """Publish at QoS 1, and return when the broker has everything."""
        wait_until(self._client.is_connected, "connected")
        waiting = []
        for topic, payload in messages:
            info = self._client.publish(topic, payload, qos=1, retain=retain)
            if info.rc == MQTTErrorCode.MQTT_ERR_NO_CONN:  # it waits for the connection
                info.rc = MQTTErrorCode.MQTT_ERR_SUCCESS
            waiting.append(info)
            if pause_s:
                time.sleep(pause_s)
        for info in waiting:
            info.wait_for_publish(patience_s)
            assert info.is_published()

    def hear(self, topic: str, count: int = 1, patience_s: float = PATIENCE_S) -> list[Any]:
        """Return the JSON of the messages on a topic, once there are so many."""

        def on_topic() -> list[bytes]:
            return [payload for where, payload in self.heard if where == topic]

        with self._changed:
            enough = self._changed.wait_for(lambda: len(on_topic()) >= count, patience_s)
        assert enough, f"expected {count} messages on {topic}, heard {self.heard[-20:]}"
        return [msgspec.json.decode(payload) for payload in on_topic()]

    def wait_for(self, topic: str, payload: bytes) -> None:
        """Return once the last that was heard on a topic is this."""

        def last() -> bytes | None:
            return next((said for where, said in reversed(self.heard) if where == topic), None)

        with self._changed:
            assert self._changed.wait_for(lambda: last() == payload, PATIENCE_S), f"{topic}: last heard {last()!r}"

    def close(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()

    def _connected(self, *_: Any) -> None:
        for topic in self._filters:
            self._client.subscribe(topic, 1)

    def _hear(self, _client: Client, _userdata: Any, message: Any) -> None:
        with self._changed:
            self.heard.append((message.topic, message.payload))
            self._changed.notify_all()


class Program:
    """A process that a test starts and ends."""

    _process: subprocess.Popen[bytes] | None = None

    def kill(self) -> None:
        self.end(signal.SIGKILL)

    def end(self, by: signal.Signals = signal.SIGTERM) -> int:
        """End the process by a signal and return its exit code."""
        if self._process is None:
            return 0
        self._process.send_signal(by)
        code = self._process.wait(PATIENCE_S)
        self._process = None
        return code

    def wait(self, patience_s: float = PATIENCE_S) -> int:
        """Return the exit code of a process that ends by itself."""
        assert self._process is not None
        code = self._process.wait(patience_s)
        self._process = None
        return code


class Plant(Program):
    """One `foresense serve` with a configuration, a database and a prefix of its own."""

    command: Sequence[str] = ("serve",)

    def __init__(
        self,
        folder: Path,
        broker: Broker,
        name: str,
        bundles: Path,
        monitors: dict[str, Any],
        settings: Mapping[str, Any] | None = None,  # whole parts of the configuration
        **connection: Any,
    ) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.prefix = f"foresense-{name}"
        self.availability = f"{self.prefix}/service/availability"
        self.database = folder / "foresense.db"
        self.config = folder / "foresense.yaml"
        self.log = folder / "foresense.log"
        self.environment: Mapping[str, str] = {}  #: besides that of the tests
        self.config.write_text(
            yaml.safe_dump(
                {
                    "broker": {"port": broker.port, "client_id": name} | connection,
                    "bundles": str(bundles),
                    "ballast_mb": 1,
                    "publish": {"prefix": self.prefix},
                    "monitors": monitors,
                }
                | dict(settings or {})
            )
        )

    def start(self, within: Sequence[str] = ()) -> Self:
        """Start it, perhaps within another command."""
        command = [*within, str(Path(sys.executable).with_name("foresense")), *self.command, str(self.config)]
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(command, stdout=log, stderr=log, env={**os.environ, **self.environment})
        return self

    def configure(self, **settings: Any) -> None:
        """Change settings before the start; those of a section are changed one by one."""
        before = yaml.safe_load(self.config.read_text())
        settings = before | {
            name: before.get(name, {}) | value if isinstance(value, dict) else value for name, value in settings.items()
        }
        self.config.write_text(yaml.safe_dump(settings))

    @property
    def pid(self) -> int:
        """Return the number of the process; fail if it has ended."""
        assert self._process is not None
        assert self._process.poll() is None
        return self._process.pid

    def hup(self) -> None:
        """Have it read its configuration again."""
        os.kill(self.pid, signal.SIGHUP)

    def query(self, sql: str, *arguments: Any) -> list[Any]:
        """Return what the database says; nothing while there is none."""
        if not self.database.exists():
            return []
        db = sqlite3.connect(self.database)
        try:
            return db.execute(sql, arguments).fetchall()
        except sqlite3.OperationalError as error:
            if "no such table" in str(error):  # the service has only just begun
                return []
            raise
        finally:
            db.close()

    def count(self, table: str) -> int:
        rows = self.query(f"SELECT count(*) FROM {table}")  # noqa: S608
        return int(rows[0][0]) if rows else 0


def _notify(condition: Condition) -> None:
    with condition:
        condition.notify_all()


MakePlant = Callable[..., Plant]


@contextmanager
def broker_in(folder: Path) -> Iterator[Broker]:
    """Run a broker that keeps its files in a folder."""
    if MOSQUITTO is None:
        pytest.skip("needs a broker: apt-get install mosquitto")
    started = Broker(folder).start()
    yield started
    started.stop()


@pytest.fixture
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    """Return a broker of the test's own: no other left a session or a retained message there, and it may be stopped."""
    with broker_in(tmp_path_factory.mktemp("broker")) as own:
        yield own


@pytest.fixture
def south(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    """Return a second broker of the test's own."""
    with broker_in(tmp_path_factory.mktemp("south")) as other:
        yield other


@pytest.fixture
def world(broker: Broker) -> Iterator[World]:
    """Return a client of the broker."""
    client = World(broker)
    yield client
    client.close()


@pytest.fixture
def make_plant(tmp_path: Path) -> Iterator[MakePlant]:
    """Return a maker of services; those still running are killed in the end."""
    made: list[Plant] = []

    def make(broker: Broker, name: str, bundles: Path, monitors: dict[str, Any], **connection: Any) -> Plant:
        made.append(Plant(tmp_path / name, broker, name, bundles, monitors, **connection))
        return made[-1]

    yield make
    for plant in made:
        plant.kill()
