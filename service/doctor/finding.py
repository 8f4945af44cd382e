"""A finding: one thing that was looked at, how it is, and how to mend it."""

from dataclasses import dataclass
from enum import StrEnum


class Level(StrEnum):
    """How a thing is."""

    OK = "ok"
    WARN = "warn"  #: it works, and will not always
    FAIL = "fail"


@dataclass(frozen=True, slots=True)
class Finding:
    """What was found; `remedy` says how to mend it, and is empty where nothing is to be mended."""

    subject: str
    level: Level
    said: str
    remedy: str = ""

    def __str__(self) -> str:
        return f"{self.level:<4}  {self.subject}: {self.said}" + (f"; {self.remedy}" if self.remedy else "")


def ok(subject: str, said: str) -> Finding:
    """Return that a thing is as it must be."""
    return Finding(subject, Level.OK, said)


def warn(subject: str, said: str, remedy: str) -> Finding:
    """Return that a thing works, and will not always."""
    return Finding(subject, Level.WARN, said, remedy)


def fail(subject: str, said: str, remedy: str) -> Finding:
    """Return that a thing does not work."""
    return Finding(subject, Level.FAIL, said, remedy)
