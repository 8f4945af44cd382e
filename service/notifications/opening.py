"""Opening: from the settings of notifications to what writes their rows and delivers them."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from edge.errors import ConfigError, ForesenseError
from service.notifications.artist import Artist
from service.notifications.queue import NoticeQueue
from service.notifications.quiet import Quiet
from service.notifications.receiver import Receiver
from service.notifications.sent import Sent
from service.notifications.settings import NotificationSettings
from service.notifications.sink import NoticeSink
from service.notifications.urls import read_urls
from service.relays.delivery import Delivery, Forget
from service.relays.outbox import OutboxReader
from service.storage.access import Access


class Notification(NamedTuple):
    """One receiver: what waits for it, and how it is told."""

    sink: NoticeSink
    receiver: Receiver
    settings: NotificationSettings
    quiet: Quiet
    database: Path

    def delivery(self, forget: Forget) -> Delivery:
        """Return what tells it, not yet started."""
        outbox = OutboxReader(self.database, self.sink.name)
        sent = Sent(Access(self.database), self.sink.name)
        queue = NoticeQueue(outbox, self.settings, self.quiet, forget, sent)
        return Delivery(self.receiver, queue, queue.forget)


def open_notifications(
    settings: Mapping[str, NotificationSettings],
    database: Path,
    now: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> tuple[list[Notification], list[str]]:
    """Return the receivers that can be opened, nothing connected yet, and what is wrong with the others."""
    opened: list[Notification] = []
    problems: list[str] = []
    for name, each in settings.items():
        try:
            opened += _open(name, each, database, now)
        except ForesenseError as error:
            problems.append(f"notifications.{name}: {error}")
        except ModuleNotFoundError as error:
            problems.append(
                f"notifications.{name}: expected {error.name}, which is not installed: pip install 'foresense[notify]'"
            )
    return opened, problems


def _open(name: str, settings: NotificationSettings, database: Path, now: Callable[[], datetime]) -> list[Notification]:
    artist = Artist(database, settings.time_zone) if settings.picture else None
    opened = []
    for number, url in enumerate(read_urls(settings), 1):
        sink = NoticeSink(f"notify:{name}/{number}", settings.least_severity)
        quiet = Quiet(settings.quiet, settings.time_zone)
        try:
            receiver = Receiver(sink.name, url, settings, quiet, now, artist)
        except ConfigError as error:
            raise ConfigError(f"URL {number}: {error}") from error
        opened.append(Notification(sink, receiver, settings, quiet, database))
    return opened
