"""A notice: one thing that somebody is to be told, and the words for it."""

import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

import msgspec

from edge.alarm import Severity
from service.relays.outbox import OutboxRow

_MOST_LISTED = 20
_MOST_WORDS = 4_000  # characters of a text; some receivers take no more
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")


class Message(msgspec.Struct):
    """What is sent, as it lies in the outbox's place and in letters."""

    title: str
    text: str
    severity: str
    subject: dict[str, Any]  #: what the picture shows: monitor, stream, channel, start, end, interval_ms, unit; or none


class Notice(NamedTuple):
    """An alarm or an incident that is to be told, and the rows of the outbox that it is told by."""

    ids: tuple[int, ...]
    kind: str  #: "alarm" or "incident"
    state: str  #: "opened", "grown" or "closed"
    severity: str  #: of the alarm, or the greatest of the incident's
    told: Mapping[str, Any]  #: as everybody is told; see service/alarms/messages.py
    composed: Message | None = None  #: of a letter that is sent again, in place of all that

    @property
    def about(self) -> tuple[str, str]:
        """Return what it is about: an alarm or an incident; of a letter, itself."""
        return ("letter", str(self.ids[0])) if self.composed else (self.kind, str(self.told["id"]))


def read_notice(row: OutboxRow) -> Notice:
    """Return what a row of the outbox tells."""
    told: dict[str, Any] = msgspec.json.decode(row.body)
    if "title" in told:
        composed = msgspec.convert(told, Message)
        return Notice((row.id,), row.kind, "opened", composed.severity, told, composed)
    severities = [told["severity"]] if row.kind == "alarm" else [each["severity"] for each in told["members"]]
    worst = max(severities, key=lambda name: Severity[name.upper()], default="minor")
    return Notice((row.id,), row.kind, told["state"], worst, told)


def single(notice: Notice, zone: ZoneInfo) -> Message:
    """Return the message that tells of one thing."""
    if notice.composed is not None:
        return notice.composed
    told = notice.told
    over = notice.state == "closed"
    if notice.kind == "alarm":
        what = f"{notice.severity} alarm: {told['stream']} ({told['channel']})"
        subject = {
            name: told[name] for name in ("monitor", "stream", "channel", "start", "end", *_DRAWN) if name in told
        }
    else:
        what = f"{notice.severity} incident: {told['streams']} streams of {told['site']}"
        first = (told["members"] or [{}])[0]
        subject = {name: first[name] for name in ("monitor", "stream", "channel", "start", "end") if name in first}
    title = f"{'over' if over else 'worse' if notice.state == 'grown' else ''} {what}".strip()
    span = f"Since {_local(told['start'], zone)}" + (f", until {_local(told['end'], zone)}" if told["end"] else "")
    text = f"{told['explanation']}\n{span}; {notice.kind} {told['id'][:8]}"
    return _message(title, text, notice.severity, subject)


_DRAWN = ("interval_ms", "unit")


def digest(notices: Sequence[Notice], zone: ZoneInfo) -> Message:
    """Return the one message that tells of many things."""
    worst = max((notice.severity for notice in notices), key=lambda name: Severity[name.upper()])
    lines = [f"- {single(notice, zone).title}{_since(notice, zone)}" for notice in notices]
    more = [f"and {len(lines) - _MOST_LISTED} more"] if len(lines) > _MOST_LISTED else []
    return _message(f"{len(notices)} alarms, {worst} at worst", "\n".join(lines[:_MOST_LISTED] + more), worst, {})


def _message(title: str, text: str, severity: str, subject: dict[str, Any]) -> Message:
    plain = "\n".join(_CONTROL.sub(" ", line) for line in text.split("\n"))
    title = _CONTROL.sub(" ", title)[:200]
    return Message(title[:1].upper() + title[1:], plain[:_MOST_WORDS], severity, subject)


def _since(notice: Notice, zone: ZoneInfo) -> str:
    return "" if notice.composed else f", since {_local(notice.told['start'], zone)}"


def _local(text: str, zone: ZoneInfo) -> str:
    """Return a time, which is told in UTC, on the clock of a zone."""
    return f"{datetime.fromisoformat(text).astimezone(zone):%Y-%m-%d %H:%M:%S %Z}"
