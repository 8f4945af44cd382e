"""Line protocol: verdicts and alarms as the lines that an InfluxDB takes."""

import math
import re
from collections.abc import Sequence
from typing import NamedTuple

import msgspec
import numpy as np
from numpy.typing import NDArray

from edge.messages.alarm import Alarm
from edge.quality import words
from edge.reading import Status, Verdicts
from service.pipeline.monitor import Monitor

_FIELDS = (b"value", b"expected", b"lower", b"upper", b"score")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
_AMBIGUOUS = re.compile(r"\\(?=[,= \\]|$)")
_SPECIAL = re.compile(r"([,= ])")


class _Prefixes(NamedTuple):
    """The measurement and the tags of each stream and channel of a monitor, as long as it has these names."""

    names: list[str]
    bundle: str
    lines: list[bytes]  #: by row * C + channel


class VerdictLines:
    """Writes verdicts as points of the measurement `verdict`, one a slot and channel."""

    def __init__(self) -> None:
        self._prefixes: dict[str, _Prefixes] = {}

    def of(self, monitor: Monitor, verdicts: Verdicts) -> list[bytes]:
        """Return n slots of C channels as n * C lines; a field that has nothing to say is left out."""
        count = len(monitor.channels)
        score = verdicts.score.astype(np.float64)[:, None].repeat(count, axis=1)
        columns: list[NDArray[np.float64]] = [verdicts.value, verdicts.expected, verdicts.lower, verdicts.upper, score]
        numbers: NDArray[np.float64] = np.stack(columns, axis=-1).reshape(-1, len(_FIELDS))
        key = (verdicts.stream[:, None] * count + np.arange(count)).ravel()
        anomaly = (verdicts.status == Status.ANOMALY).astype(np.int64).repeat(count)
        time = verdicts.time.repeat(count)
        prefixes = self._of_monitor(monitor)
        quality = verdicts.quality.ravel().astype(np.int64)
        pattern = np.isfinite(numbers) @ (1 << np.arange(len(_FIELDS))) + (quality << len(_FIELDS))
        lines: list[bytes] = []
        for known in np.unique(pattern).tolist():
            rows = np.flatnonzero(pattern == known)
            places = [place for place in range(len(_FIELDS)) if known >> place & 1]
            fields = b"".join(_FIELDS[place] + b"=%b," for place in places)
            flags = words(known >> len(_FIELDS))
            fields += f"quality={_text(flags)},".encode() if flags else b""
            template = b"%b " + fields + b"anomaly=%bi %b"
            written = [
                [prefixes[i] for i in key[rows].tolist()],
                *(_written(numbers[rows, place]) for place in places),
                _written(anomaly[rows]),
                _written(time[rows]),
            ]
            lines += [template % row for row in zip(*written, strict=True)]
        return lines

    def _of_monitor(self, monitor: Monitor) -> list[bytes]:
        """Return the prefixes of a monitor's streams, made anew when it has begun anew."""
        known = self._prefixes.get(monitor.name)
        if known is None or known.names is not monitor.names or known.bundle != monitor.bundle.reference:
            known = _Prefixes(monitor.names, monitor.bundle.reference, [])
            self._prefixes[monitor.name] = known
        for name in monitor.names[len(known.lines) // len(monitor.channels) :]:
            tags = (_tags(monitor, name, channel, known.bundle) for channel in monitor.channels)
            known.lines.extend(b"verdict," + each for each in tags)
        return known.lines


def alarm_line(monitor: Monitor, stream: str, alarm: Alarm) -> bytes:
    """Return an alarm as a point of the measurement `alarm` at its start, so that its end is told of the same point."""
    numbers = {
        "score": alarm.score,
        "value": alarm.value,
        "expected": alarm.expected,
        "lower": alarm.lower,
        "upper": alarm.upper,
        "peak_score": alarm.peak_score,
    }
    whole = {"open": int(alarm.end is None), "peak_time": alarm.peak_time, "end": alarm.end, "raised": alarm.raised}
    texts = {
        "id": alarm.id,
        "state": "opened" if alarm.end is None else "closed",
        "severity": alarm.severity,
        "explanation": alarm.explanation,
        "incident": alarm.incident,
    }
    fields = [f"{name}={x!r}" for name, x in numbers.items() if x is not None and math.isfinite(x)]
    fields += [f"{name}={x}i" for name, x in whole.items() if x is not None]
    fields += [f"{name}={_text(x)}" for name, x in texts.items() if x]
    tags = _tags(monitor, stream, alarm.channel, alarm.bundle)
    return b"alarm,%b %b %d" % (tags, ",".join(fields).encode(), alarm.start)


def _tags(monitor: Monitor, stream: str, channel: str, bundle: str) -> bytes:
    """Return the tags of a stream's channel, in the order in which servers sort them."""
    tags = {"bundle": bundle, "channel": channel, "monitor": monitor.name, "site": monitor.site, "stream": stream}
    return ",".join(f"{name}={tag(text)}" for name, text in tags.items()).encode()


def tag(text: str) -> str:
    r"""Return a tag's value as it is written.

    A control character becomes a space. A backslash becomes '/' at the end, and where what follows is escaped or a
    backslash: servers do not agree on how to write it there.

    >>> print(tag("hall 1\\a=b\\"))
    hall\ 1\a\=b/
    """
    plain = _AMBIGUOUS.sub("/", _CONTROL.sub(" ", text))
    return _SPECIAL.sub(r"\\\1", plain)


def _text(text: str) -> str:
    r"""Return a field of text as it is written, on one line.

    >>> print(_text('a "b" c\\'))
    "a \"b\" c\\"
    """
    plain = _CONTROL.sub(" ", text).replace("\\", "\\\\").replace('"', '\\"')
    return f'"{plain}"'


def _written(column: NDArray[np.float64] | NDArray[np.int64]) -> Sequence[bytes]:
    """Return finite numbers in their shortest exact form."""
    return msgspec.json.encode(column.tolist())[1:-1].split(b",")
