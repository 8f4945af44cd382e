"""Messages to real receivers: a mail server, and an HTTP server that is spoken to as ntfy and as plain JSON."""

import base64
import io
import json
import logging
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest
from PIL import Image

from service.notifications.artist import Artist
from service.notifications.notice import Message
from service.notifications.quiet import Quiet
from service.notifications.receiver import Receiver as Teller
from service.notifications.settings import NotificationSettings
from service.relays.answer import Answer
from service.relays.outbox import OutboxRow
from service.storage.store import Store
from tests.service.conftest import MakeMonitor
from tests.service.notifications.conftest import MailServer, Receiver, add_verdicts, parts
from tests.service.relays.conftest import Reply, Request
from tests.system.conftest import free_port

MESSAGE = Message("Major alarm: <img src=x> (value)", "far above <b>\nSince then; alarm 1", "major", {})
SUBJECT = {
    "monitor": "main", "stream": "north/a", "channel": "value", "start": "2023-11-14T22:16:40Z", "end": None,
    "interval_ms": 10_000, "unit": "$m^3$/h",
}  # fmt: skip


def teller(url: str, artist: Artist | None = None, hour: int = 12, **settings: Any) -> Teller:
    read = NotificationSettings.model_validate({"urls_variable": "URLS", "timeout_s": 1} | settings)
    now = datetime(2026, 7, 1, hour, tzinfo=UTC)
    return Teller("notify:team/1", url, read, Quiet(read.quiet, "UTC"), lambda: now, artist)


def row(message: Message = MESSAGE, ident: int = 1) -> OutboxRow:
    return OutboxRow(ident, "", msgspec.json.encode(message))


def is_picture(data: bytes) -> bool:
    with Image.open(io.BytesIO(data)) as image:
        return image.format == "PNG" and image.size[0] > 500


def test_a_mail_has_the_picture_and_names_in_it_are_text(
    mail_server: MailServer, store: Store, database: Path, make_monitor: MakeMonitor
) -> None:
    add_verdicts(store, make_monitor(), "north/a", 30)
    message = msgspec.structs.replace(MESSAGE, subject=SUBJECT)
    assert teller(mail_server.url, Artist(database, "Europe/Rome")).send([row(message)]).delivered

    (mail,) = mail_server.taken
    assert mail["Subject"] == "Major alarm: <img src=x> (value)"
    assert mail["To"] == "me@plant.example"
    told = parts(mail)
    assert is_picture(told.pop("image/png"))
    (text,) = told.values()
    assert "<img" not in text
    assert "<b>" not in text or "text/plain" in told
    assert "alarm 1" in text


def test_json_and_ntfy_are_told_over_http(
    receiver: Receiver, store: Store, database: Path, make_monitor: MakeMonitor
) -> None:
    add_verdicts(store, make_monitor(), "north/a", 30)
    message = msgspec.structs.replace(MESSAGE, subject=SUBJECT)
    artist = Artist(database, "UTC")
    assert teller(f"json://127.0.0.1:{receiver.port}/hook", artist).send([row(message)]).delivered
    told = json.loads(receiver.taken[0].body)
    assert (told["title"], told["message"]) == (message.title, message.text)
    (attached,) = told["attachments"]
    assert is_picture(base64.b64decode(attached["base64"]))

    assert teller(f"ntfy://127.0.0.1:{receiver.port}/secret-topic").send([row()]).delivered
    assert "secret-topic" in receiver.taken[1].path + receiver.taken[1].body.decode()


def test_a_receiver_that_does_not_take_it_is_tried_again_and_one_that_refuses_it_is_not(receiver: Receiver) -> None:
    tell = teller(f"json://127.0.0.1:{receiver.port}/hook")
    receiver.script(Reply(503), Reply(429), Reply(403), Reply(400))
    answers = [tell.send([row()]) for _ in range(4)]
    assert [answer.status for answer in answers] == [503, 429, 403, 400]
    assert [answer.refused for answer in answers] == [False, False, False, True]
    assert str(answers[2]) == "403 JSON does not take it (may this user or token write there?)"


def test_a_mail_server_that_refuses_or_is_away_is_tried_again(mail_server: MailServer) -> None:
    tell = teller(mail_server.url)
    mail_server.refusal = "550 mailbox unavailable"
    refused = tell.send([row()])
    mail_server.stop()
    away = tell.send([row()])
    for answer in (refused, away):
        assert not answer.delivered
        assert not answer.refused
        assert str(answer) == "E-Mail: no connection, or it does not take it"


def test_what_is_not_taken_for_long_is_given_up(receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = [0.0]
    monkeypatch.setattr("service.notifications.receiver.monotonic", lambda: clock[0])
    receiver.answer = lambda _: Reply(500)
    tell = teller(f"json://127.0.0.1:{receiver.port}", give_up="1h")
    assert not tell.send([row()]).refused
    clock[0] = 3600
    given_up = tell.send([row()])
    assert given_up.refused
    assert str(given_up) == "500 JSON does not take it; given up"
    assert not tell.send([row(ident=2)]).refused


def test_nothing_is_sent_in_quiet_hours_that_began_while_it_was_tried(receiver: Receiver) -> None:
    hours = {"begin": "22:00", "end": "07:00"}
    tell = teller(f"json://127.0.0.1:{receiver.port}", hour=23, quiet=hours)
    assert tell.send([row()]) == Answer(0, "it waits for the end of the quiet hours")
    assert receiver.heard == []
    assert tell.send([row(msgspec.structs.replace(MESSAGE, severity="critical"))]).delivered


class _All(logging.Handler):
    """Keeps all that reaches our own log."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.texts: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.texts.append(record.getMessage())


@pytest.fixture
def logged() -> Iterator[list[str]]:
    """Return what is logged; pytest's own means listen to loggers as well that tell our log nothing."""
    root, handler = logging.getLogger(), _All()
    level = root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    yield handler.texts
    root.setLevel(level)
    root.removeHandler(handler)


@pytest.mark.parametrize("is_there", [True, False])
def test_nothing_of_a_url_is_ever_logged_or_said(
    receiver: Receiver, logged: list[str], capfd: pytest.CaptureFixture[str], is_there: bool
) -> None:
    receiver.answer = lambda _: Reply(500)
    port = receiver.port if is_there else free_port()
    urls = (f"json://someone:pa55word@127.0.0.1:{port}/path-secret", f"ntfy://127.0.0.1:{port}/topic-secret")
    said = [str(teller(url).send([row()])) for url in urls]
    logging.getLogger("service").debug("this is heard")
    assert len(receiver.heard) == 2 * is_there
    assert "this is heard" in logged
    shown = "".join([*logged, *capfd.readouterr(), *said])
    for secret in ("pa55word", "someone", "secret", str(port)):
        assert secret not in shown


def test_redirections_are_not_followed(receiver: Receiver) -> None:
    def redirect(request: Request) -> Reply:
        there = {"Location": f"http://127.0.0.1:{receiver.port}/there"}
        return Reply() if request.path == "/there" else Reply(307, there)

    receiver.answer = redirect
    assert not teller(f"json://127.0.0.1:{receiver.port}/here").send([row()]).delivered
    assert [request.path for request in receiver.heard] == ["/here"]
