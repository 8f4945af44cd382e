"""The artist: has the picture of an episode drawn by a process of its own, so that readings do not wait for it."""

import logging
import sqlite3
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from threading import Lock
from typing import Any

import msgspec

from service.notifications.episode import Episode, read_episode

log = logging.getLogger(__name__)

_TIMEOUT_S = 30.0
_COMMAND = [sys.executable, "-m", "service.notifications.drawing"]


class Artist:
    """Draws one picture at a time and keeps the last, as several receivers are told the same."""

    def __init__(self, database: Path, time_zone: str) -> None:
        self._database = database
        self._time_zone = time_zone
        self._lock = Lock()
        self._last: tuple[bytes, bytes | None] = (b"", None)

    def draw(self, subject: Mapping[str, Any]) -> bytes | None:
        """Return the picture (PNG) of what a message tells of; None if there can be none, which the log says."""
        with self._lock:
            try:
                episode = read_episode(self._database, subject, self._time_zone)
            except (OSError, sqlite3.Error) as error:
                log.warning("no picture of %s: %s", subject["stream"], error)
                return None
            return None if episode is None else self._drawn(episode)

    def _drawn(self, episode: Episode) -> bytes | None:
        wanted = msgspec.json.encode(episode)
        if wanted != self._last[0]:
            self._last = wanted, draw_apart(wanted)
        return self._last[1]


def draw_apart(episode: bytes) -> bytes | None:
    """Return the picture of an episode, given as JSON; None, and a line in the log, if that fails."""
    try:
        done = subprocess.run(_COMMAND, input=episode, capture_output=True, timeout=_TIMEOUT_S, check=True)  # noqa: S603  our own
    except subprocess.CalledProcessError as error:
        said = error.stderr.decode(errors="replace").strip().splitlines()
        log.warning("no picture can be drawn: %s", said[-1] if said else f"exit code {error.returncode}")
        return None
    except (OSError, subprocess.TimeoutExpired) as error:
        log.warning("no picture can be drawn: %s", error)
        return None
    return done.stdout
