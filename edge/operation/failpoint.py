"""Failpoints: named places at which a test has the service die, fail or hang; without the environment's word, nothing.

`FORESENSE_FAILPOINT=after-commit:3` kills the process (SIGKILL) the third time that it reaches `after-commit`;
`after-commit:3=raise` raises there, `=full` as SQLite does on a full disk, `=exit` ends with 70, and `=hang` waits
for ever. Each happens once.
"""

import os
import signal
import sqlite3
import time
from dataclasses import dataclass
from functools import cache
from typing import Self

VARIABLE = "FORESENSE_FAILPOINT"
EXIT_CODE = 70
_ACTIONS = ("kill", "raise", "full", "exit", "hang")


class FailpointError(RuntimeError):
    """What a failpoint raises."""


@dataclass(slots=True)
class _Wanted:
    """What the environment asks for."""

    place: str
    left: int  #: times that the place is yet to be reached
    action: str

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read NAME[:COUNT][=ACTION]; ValueError if it is none."""
        where, _, action = text.partition("=")
        place, _, count = where.partition(":")
        wanted = cls(place, int(count or 1), action or "kill")
        if not place or wanted.left < 1 or wanted.action not in _ACTIONS:
            raise ValueError(f"{VARIABLE}: expected NAME[:COUNT][={'|'.join(_ACTIONS)}], got {text!r}")
        return wanted


def reach(place: str) -> None:
    """Say that a place is reached."""
    wanted = _wanted()
    if wanted is not None and wanted.place == place:
        wanted.left -= 1
        if wanted.left == 0:
            _act(wanted)


@cache
def _wanted() -> _Wanted | None:
    text = os.environ.get(VARIABLE)
    return _Wanted.parse(text) if text else None


def _act(wanted: _Wanted) -> None:
    match wanted.action:
        case "kill":
            os.kill(os.getpid(), signal.SIGKILL)
        case "exit":
            os._exit(EXIT_CODE)
        case "full":
            error = sqlite3.OperationalError(f"database or disk is full (failpoint {wanted.place})")
            error.sqlite_errorcode = sqlite3.SQLITE_FULL
            raise error
        case "raise":
            raise FailpointError(f"failpoint {wanted.place}")
        case _:
            while True:
                time.sleep(60)
