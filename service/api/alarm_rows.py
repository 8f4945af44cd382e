"""Alarms as the database has them, with what operators said of them, to what the API tells."""

import sqlite3
from collections.abc import Sequence
from typing import Any, Literal

import msgspec
from pydantic import BaseModel, Field

from edge.messages.stamp import iso, iso_or_none

AlarmState = Literal["open", "acknowledged", "closed"]

SELECT = """SELECT alarm.id, alarm.stream, stream.monitor, stream.name, alarm.bundle, alarm.channel, alarm."start",
    alarm."end", alarm.severity, alarm.score, alarm.value, alarm.expected, alarm.lower, alarm.upper, alarm.peak_score,
    alarm.peak_time, alarm.peak_channel, alarm.explanation, alarm.evidence, alarm.suppressed, alarm.raised,
    alarm.incident, acknowledgement.note, acknowledgement."by", acknowledgement.created, label."false", label.note,
    label."by", label.created
    FROM alarm JOIN stream ON stream.id = alarm.stream
    LEFT JOIN acknowledgement ON acknowledgement.alarm = alarm.id LEFT JOIN label ON label.alarm = alarm.id"""


class Remark(BaseModel):
    """What somebody noted of an alarm."""

    by: str
    time: str
    note: str


class Label(Remark):
    """What somebody found an alarm to be."""

    false: bool  #: whether nothing was wrong when it was raised


class Peak(BaseModel):
    """Where an alarm's score was greatest so far."""

    score: float
    time: str
    channel: str


class Alarm(BaseModel):
    """An episode: how it opened, its peak, its end, and what operators said of it."""

    id: str
    stream: int = Field(description="id of the stream")
    monitor: str
    name: str = Field(description="of the stream")
    bundle: str = Field(description="NAME/VERSION that found it")
    state: AlarmState
    start: str
    end: str | None
    channel: str = Field(description="that contributed most when it opened; the next four are its")
    value: float | None
    expected: float | None
    lower: float | None
    upper: float | None
    severity: str
    score: float
    peak: Peak
    explanation: str = Field(description="one sentence")
    evidence: dict[str, Any] = Field(description="the explanation as data; `channels` has each channel's share")
    suppressed: str | None = Field(description="why nobody was told when it opened")
    raised: str | None = Field(description="since when the world is told; null while suppressed")
    incident: str | None = Field(description="id of the incident that it is part of")
    acknowledged: Remark | None
    label: Label | None


def alarm_of(row: Sequence[Any]) -> dict[str, Any]:
    """Return a row of SELECT as the fields of Alarm."""
    noted, labelled = row[22:25], row[25:29]
    end = row[7]
    return {
        **dict(zip(("id", "stream", "monitor", "name", "bundle", "channel"), row, strict=False)),
        "state": "closed" if end is not None else "acknowledged" if noted[1] is not None else "open",
        "start": iso(row[6]),
        "end": iso_or_none(end),
        **dict(zip(("severity", "score", "value", "expected", "lower", "upper"), row[8:14], strict=True)),
        "peak": {"score": row[14], "time": iso(row[15]), "channel": row[16]},
        "explanation": row[17],
        "evidence": msgspec.json.decode(row[18]),
        "suppressed": row[19],
        "raised": iso_or_none(row[20]),
        "incident": row[21],
        "acknowledged": _remark(*noted),
        "label": None if labelled[2] is None else {"false": bool(labelled[0])} | (_remark(*labelled[1:]) or {}),
    }


def count(db: sqlite3.Connection, where: str, values: Sequence[Any]) -> int:
    """Return how many alarms a condition on SELECT holds for."""
    joined = SELECT[SELECT.index("FROM alarm") :]
    return int(db.execute(f"SELECT count(*) {joined} WHERE {where}", values).fetchone()[0])


def _remark(note: str | None, by: str | None, created: int | None) -> dict[str, Any] | None:
    return None if created is None else {"by": by, "time": iso(created), "note": note}
