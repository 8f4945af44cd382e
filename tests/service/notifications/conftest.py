"""What the tests of notifications share: a real mail server, and alarms in a real outbox."""

from collections.abc import Iterator
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any

import pytest
from aiosmtpd.controller import Controller

from edge.messages.alarm import Alarm
from service.pipeline.monitor import Monitor
from service.storage.store import Store
from tests.conftest import INTERVAL_MS
from tests.service.conftest import FIRST
from tests.service.relays.conftest import Receiver, receiver
from tests.system.conftest import free_port

__all__ = ["Receiver", "receiver"]
START = FIRST + 20 * INTERVAL_MS


class MailServer:
    """A mail server on a loopback port; `refusal` is what it says to a message instead of taking it."""

    def __init__(self) -> None:
        self.refusal = ""
        self._runs = False
        self.taken: list[EmailMessage] = []
        self._controller = Controller(self, hostname="127.0.0.1", port=free_port())
        self.url = (
            f"mailto://127.0.0.1:{self._controller.port}?from=foresense@plant.example&to=me@plant.example&mode=insecure"
        )

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:  # noqa: N802  aiosmtpd calls it so
        if self.refusal:
            return self.refusal
        read = message_from_bytes(envelope.content, policy=policy.default)
        assert isinstance(read, EmailMessage)
        self.taken.append(read)
        return "250 OK"

    def start(self) -> None:
        self._controller.start()
        self._runs = True

    def stop(self) -> None:
        if self._runs:
            self._runs = False
            self._controller.stop(no_assert=True)


@pytest.fixture
def mail_server() -> Iterator[MailServer]:
    server = MailServer()
    server.start()
    yield server
    server.stop()


def parts(mail: EmailMessage) -> dict[str, Any]:
    """Return the parts of a mail by their type."""
    return {part.get_content_type(): part.get_content() for part in mail.walk() if not part.is_multipart()}


def alarm_of(ident: str, score: float = 2.5, end: int | None = None, **more: Any) -> Alarm:
    opened = Alarm(
        ident, 1, "pump/1", "value", START, end, score, 9, 1, 0, 2, score, START, "value", raised=START,
        explanation="value is far above what was expected",
    )  # fmt: skip
    level = "critical" if score >= 4 else "major" if score >= 2 else "minor"
    return opened._replace(severity=level, **more)


def add_verdicts(store: Store, monitor: Monitor, stream: str, slots: int) -> None:
    """Store verdicts of a stream's slots, up to some after START."""
    with store.transaction():
        (ident,) = store.add_streams(monitor.name, [stream])
        store.db.execute("INSERT INTO series (stream, channel, place) VALUES (?, 'value', 0)", (ident,))
        rows = [(FIRST + slot * INTERVAL_MS, 1, slot % 3, 1.0, 0.0, 2.5, 0.5, 1) for slot in range(slots)]
        insert = """INSERT INTO series_verdict (time, series, value, expected, lower, upper, score, status)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?)"""
        store.db.executemany(insert, rows)
