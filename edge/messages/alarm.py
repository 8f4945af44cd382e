"""Alarms as they are stored and told: how one opened, its peak, and its end."""

import hashlib
import json
import math
from typing import Any, NamedTuple

from edge.alarm import Severity
from edge.bundle import Bundle
from edge.explain import explain
from edge.limits import Budget
from edge.messages.stamp import iso, iso_or_none
from edge.quality import words
from edge.reading import Verdicts
from edge.state import SIGNALS


class Alarm(NamedTuple):
    """An alarm as it is stored: how it opened, its peak so far, and its end if it has one."""

    id: str
    stream: int
    bundle: str
    channel: str  #: the one that contributed most when it opened; the numbers below are its
    start: int  #: UTC epoch, ms
    end: int | None
    score: float
    value: float | None
    expected: float | None
    lower: float | None
    upper: float | None
    peak_score: float
    peak_time: int
    peak_channel: str
    suppressed: str | None = None  #: why the world was not told when it opened
    raised: int | None = None  #: since when the world is to know of it, UTC epoch, ms; None while suppressed
    told: int = 0  #: whether it had a message of its own
    incident: str | None = None  #: id of the incident of its site that it is part of
    explanation: str = ""
    evidence: str = "{}"  #: the explanation as JSON
    severity: str = "minor"  #: of the peak so far


def severity(peak: float) -> str:
    """Return how severe an alarm with a peak score is, as it is stored and told."""
    return Severity.of(peak).name.lower()


def alarm_id(monitor: str, stream: str, bundle: str, start: int) -> str:
    """Return the id of an alarm: the same whenever and wherever the same alarm is found.

    >>> alarm_id("pump", "plant/a", "pump/1", 1_700_000_000_000)
    'a7a96a1606951690d03585be3e70ab30'
    """
    text = json.dumps([monitor, stream, bundle, start], ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def opening(
    verdicts: Verdicts, i: int, bundle: Bundle, budget: Budget, monitor: str, name: str, stream: int = 0
) -> Alarm:
    """Return the alarm that verdict `i` opens; `name` is that of its stream, `stream` its number in the database."""
    channels = [channel.name for channel in bundle.manifest.channels]
    c, start, score = int(verdicts.channel[i]), int(verdicts.alarm[i]), float(verdicts.score[i])
    flags = zip(channels, verdicts.quality[i].tolist(), strict=True)
    quality = {channel: words(flag).split("+") for channel, flag in flags if flag}
    why = explain(verdicts, i, bundle.manifest, ready_in=int(verdicts.ready_in[i]) or None, quality=quality)
    evidence = why.as_dict() | _circumstances(verdicts, i, budget)
    return Alarm(
        alarm_id(monitor, name, bundle.reference, start),
        stream,
        bundle.reference,
        channels[c],
        start,
        None,
        score,
        _number(verdicts.value[i, c]),
        _number(verdicts.expected[i, c]),
        _number(verdicts.lower[i, c]),
        _number(verdicts.upper[i, c]),
        score,
        int(verdicts.time[i]),
        channels[c],
        explanation=why.sentence(),
        evidence=json.dumps(evidence, ensure_ascii=False, separators=(",", ":")),
        severity=severity(score),
    )


def alarm_document(monitor: str, stream: str, alarm: Alarm) -> dict[str, Any]:
    """Return an alarm as the world is told, ready for JSON but for `evidence`, which is JSON already."""
    return {
        "id": alarm.id,
        "monitor": monitor,
        "stream": stream,
        "bundle": alarm.bundle,
        "state": "opened" if alarm.end is None else "closed",
        "start": iso(alarm.start),
        "end": iso_or_none(alarm.end),
        "channel": alarm.channel,
        "severity": alarm.severity,
        "score": alarm.score,
        "value": alarm.value,
        "expected": alarm.expected,
        "lower": alarm.lower,
        "upper": alarm.upper,
        "peak": {"score": alarm.peak_score, "time": iso(alarm.peak_time), "channel": alarm.peak_channel},
        "explanation": alarm.explanation,
        "evidence": alarm.evidence,
        "suppressed": alarm.suppressed,
        "raised": iso_or_none(alarm.raised),
        "incident": alarm.incident,
    }


def _circumstances(verdicts: Verdicts, i: int, budget: Budget) -> dict[str, Any]:
    """Return what verdict `i` says of its stream besides its channels, as the world is told."""
    signal = int(verdicts.signal[i])
    return {
        "signal": SIGNALS[signal] if signal >= 0 else None,
        "coverage": float(verdicts.coverage[i]),
        "budget": str(budget),
        "achieved": _number(verdicts.achieved[i]),
    }


def _number(value: Any) -> float | None:
    number = float(value)
    return number if math.isfinite(number) else None
