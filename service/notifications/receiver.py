"""A receiver: sends messages to one URL of Apprise's, with a picture."""

import logging
import re
from collections.abc import Callable, Sequence
from datetime import datetime
from time import monotonic
from typing import Any

import msgspec

from service.notifications.artist import Artist
from service.notifications.notice import Message
from service.notifications.quiet import Quiet
from service.notifications.settings import NotificationSettings
from service.notifications.urls import open_plugin
from service.relays.answer import Answer
from service.relays.outbox import OutboxRow

log = logging.getLogger(__name__)

_ERROR = re.compile(r"error=(\d{3})\b")
_TYPES = {"minor": "warning", "major": "warning", "critical": "failure"}


class Receiver:
    """Sends one message at a time; what is said of a failure has no word of the URL."""

    most_rows = 1

    def __init__(
        self,
        name: str,
        url: str,
        settings: NotificationSettings,
        quiet: Quiet,
        now: Callable[[], datetime],
        artist: Artist | None,
    ) -> None:
        self.name = name
        self.timeout_s = 2 * settings.timeout_s  # to connect, and to answer
        self._plugin = open_plugin(url, settings)
        self._give_up_s = settings.give_up_s
        self._quiet = quiet
        self._now = now
        self._artist = artist
        self._begun: tuple[int, float] = (-1, 0.0)  # the message under way, and since when (monotonic, s)

    def __str__(self) -> str:
        return str(self._plugin.service_name)

    def send(self, rows: Sequence[OutboxRow]) -> Answer:
        """Send a message; what is not taken for too long counts as refused."""
        (row,) = rows
        message = msgspec.json.decode(row.body, type=Message)
        if self._begun[0] != row.id:
            self._begun = row.id, monotonic()
        if self._quiet.holds(message.severity, self._now()):
            return Answer(0, "it waits for the end of the quiet hours")
        picture = self._artist.draw(message.subject) if self._artist is not None and message.subject else None
        answer = self.tell(message, picture)
        if not answer.delivered and monotonic() - self._begun[1] >= self._give_up_s:
            return Answer(answer.status, f"{answer.said}; given up", final=True)
        return answer

    def tell(self, message: Message, picture: bytes | None) -> Answer:
        """Send a message once, with a PNG if there is one."""
        from apprise import NotifyType  # which takes long to import
        from apprise.attachment.memory import AttachMemory

        attach: Any = AttachMemory  # it has no types
        attached = attach(content=picture, name="episode.png", mimetype="image/png") if picture else None
        with _Heard() as heard:
            try:
                taken = self._plugin.notify(
                    body=message.text, title=message.title, notify_type=NotifyType(_TYPES[message.severity]),
                    body_format="text", attach=attached,
                )  # fmt: skip
            except Exception as error:  # noqa: BLE001  any service's code; its words may have the URL in them
                return Answer(0, f"the service's plugin has failed: {type(error).__name__}")
        if taken:
            return Answer(204)
        status = next((int(found[1]) for text in heard.texts if (found := _ERROR.search(text))), 0)
        return Answer(
            status, f"{self} does not take it" if status else f"{self}: no connection, or it does not take it"
        )

    def split(self, row: OutboxRow) -> list[OutboxRow]:
        """Return the row: it is one message."""
        return [row]

    def close(self) -> None:
        """Have nothing to give back: each message has a connection of its own."""


class _Heard(logging.Handler):
    """Hears what Apprise logs, to find the number of an error in it; nothing else of it is used."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.texts: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.texts.append(record.getMessage())

    def __enter__(self) -> "_Heard":
        logging.getLogger("apprise").addHandler(self)
        return self

    def __exit__(self, *_: object) -> None:
        logging.getLogger("apprise").removeHandler(self)
