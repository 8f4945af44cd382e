"""The zone of clocks that tell no offset, guessed from when their messages came."""

import re
from collections.abc import Iterable
from statistics import median
from typing import Any

from edge.inbox import Message
from edge.payloads.document import Path
from edge.payloads.payload import LARGEST_PAYLOAD
from edge.payloads.rejects import RejectError
from edge.payloads.timestamps import epoch_ms
from service.payloads.compression import expand
from service.payloads.document import read_json

_HOUR_MS = 3_600_000
_WITH_OFFSET = re.compile(r"(?:[zZ]|[+-]\d\d(?::?\d\d)?)$")
_TIMES = {"tasmota": "Time", "zigbee2mqtt": "last_seen"}


def guess_zone(settings: dict[str, Any], samples: Iterable[Message]) -> str | None:
    """Return a zone of whole hours that makes naive times those of the receipt, or None if they are of UTC.

    Such a zone knows no summer time.
    """
    path = _TIMES.get(settings["payload"], settings.get("time"))
    if path is None:
        return None
    found = [_ahead_ms(sample, Path(path)) for sample in samples if not sample.retain]
    ahead = [each for each in found if each is not None]
    hours = round(median(ahead) / _HOUR_MS) if ahead else 0
    return f"Etc/GMT{-hours:+d}" if hours and -12 <= hours <= 14 else None


def _ahead_ms(sample: Message, path: Path) -> int | None:
    """Return how far ahead of the receipt a time would be in UTC, or None if it tells its offset."""
    try:
        time = path.find(read_json(expand(sample.payload, LARGEST_PAYLOAD)))
        time = time[-1] if isinstance(time, list) and time else time
        naive = isinstance(time, str) and not _WITH_OFFSET.search(time)
        return epoch_ms(time) - sample.received_ms if naive else None
    except RejectError:
        return None
