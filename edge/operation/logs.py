"""Logs: as text or as JSON, and never a line a message: what repeats itself is summed up."""

import json
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from threading import Lock
from typing import Literal

from edge.messages.stamp import iso

Format = Literal["text", "json"]

MOST_ALIKE = 10  #: lines of one kind within a window
WINDOW_S = 60.0
_TEXT = "%(asctime)s %(levelname)s %(name)s: %(message)s"

_Kind = tuple[str, int, object]  # logger, level, message before its arguments are put in


@dataclass(slots=True)
class _Window:
    """What was said of one kind since its window began."""

    began: float
    said: int = 0
    newest: logging.LogRecord | None = None  # of those not said
    held: int = 0


class Brake(logging.Filter):
    """Lets some records of a kind pass within a window and counts the others, which `tell` then sums up in a line.

    Records are of one kind if they differ in their arguments only. Those for debugging all pass.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__()
        self._clock = clock
        self._windows: dict[_Kind, _Window] = {}
        self._lock = Lock()

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether a record is to be said now."""
        if record.levelno <= logging.DEBUG:
            return True
        kind = (record.name, record.levelno, record.msg)
        with self._lock:
            window = self._windows.setdefault(kind, _Window(self._clock()))
            if window.said < MOST_ALIKE:
                window.said += 1
                return True
            window.held += 1
            window.newest = record
            return False

    def over(self, everything: bool = False) -> list[logging.LogRecord]:
        """Return a record for each kind of which some were held, of windows that are over, or of all; these end."""
        now, told = self._clock(), []
        with self._lock:
            for kind, window in list(self._windows.items()):
                if everything or now - window.began >= WINDOW_S:
                    del self._windows[kind]
                    if window.newest is not None:
                        told.append(_summed(window.newest, window.held))
        return told


class JsonFormatter(logging.Formatter):
    """A line of JSON a record: `time, level, logger, thread, message`, and `exception` where there is one."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line."""
        told = {
            "time": iso(int(1000 * record.created)),
            "level": record.levelname.lower(),
            "logger": record.name,
            "thread": record.threadName,
            "message": record.getMessage(),
        }
        if record.exc_info:
            told["exception"] = self.formatException(record.exc_info)
        return json.dumps(told, ensure_ascii=False)


class Log:
    """The handler of all records, with its brake."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._brake = Brake(clock)
        self._handler: logging.Handler = logging.NullHandler()

    def start(self, level: str, form: Format) -> None:
        """Take all records over."""
        self._handler = logging.StreamHandler()
        self._handler.setFormatter(JsonFormatter() if form == "json" else logging.Formatter(_TEXT))
        self._handler.addFilter(self._brake)
        logging.basicConfig(level=level.upper(), handlers=[self._handler], force=True)

    def tell(self, everything: bool = False) -> None:
        """Say how many lines were held in the windows that are over, or in all; to be called about once a second."""
        for record in self._brake.over(everything):
            self._handler.emit(record)


def _summed(newest: logging.LogRecord, held: int) -> logging.LogRecord:
    """Return a record that stands for all that were held."""
    more = f" ... and {held - 1:,} more like this in the last minute" if held > 1 else ""
    text = newest.getMessage() + more
    return logging.LogRecord(
        newest.name, newest.levelno, newest.pathname, newest.lineno, text, None, None
    )  # its arguments are in the text
