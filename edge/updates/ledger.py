"""The ledger: what is remembered of a bundle's updates, beside the slots and outside every bundle."""

import json
import os
from dataclasses import asdict, dataclass
from enum import StrEnum
from pathlib import Path
from typing import Self

from edge.errors import DataError
from edge.updates.durable import write_durably

LEDGER = "updates.json"
_MOST_BYTES = 64 * 1024


class State(StrEnum):
    """How far an update is."""

    NONE = "NONE"  #: there has been none
    DOWNLOADING = "DOWNLOADING"
    DOWNLOADED = "DOWNLOADED"  #: all files are there; their self-test is on
    VERIFIED = "VERIFIED"  #: signature, digests, channels and golden verdicts are right
    ACTIVE = "ACTIVE"  #: in charge, on trial
    COMMITTED = "COMMITTED"  #: in charge for good
    ROLLED_BACK = "ROLLED_BACK"  #: it was in charge, and the one before is so again
    FAILED = "FAILED"  #: it has never been in charge

    @property
    def is_under_way(self) -> bool:
        """Whether the update goes on."""
        return self in (State.DOWNLOADING, State.DOWNLOADED, State.VERIFIED, State.ACTIVE)


@dataclass(frozen=True, slots=True)
class Ledger:
    """What is remembered of one bundle's updates."""

    state: State = State.NONE
    version: str = ""  #: that the state is about
    deployment: str = ""
    order: str = ""  #: id of the last order that was taken
    number: int = 0  #: of that order; one that is not higher is refused
    reason: str = ""  #: why it was rolled back or has failed
    slots: tuple[str, ...] = ()  #: versions: that in charge, then those to fall back on
    doomed: tuple[str, ...] = ()  #: versions whose folders are to be removed
    highest: int = 0  #: version that has been in charge; older ones are refused
    starts: int = 0  #: of the program, since the bundle on trial took charge

    @property
    def in_charge(self) -> str:
        """Return the version that shall be in charge, '' if none."""
        return self.slots[0] if self.slots else ""

    def save(self, folder: Path) -> None:
        """Write the ledger, whole or not at all; OSError if it cannot be written."""
        write_durably(folder / LEDGER, json.dumps(asdict(self), indent=1).encode())

    @classmethod
    def load(cls, folder: Path) -> Self | None:
        """Read a folder's ledger, None if it has none; DataError if it cannot be read."""
        path = folder / LEDGER
        try:
            raw = json.loads(path.read_bytes()[:_MOST_BYTES])
            raw |= {"state": State(raw["state"]), "slots": tuple(raw["slots"]), "doomed": tuple(raw["doomed"])}
            return cls(**raw)
        except FileNotFoundError:
            return None
        except (OSError, ValueError, TypeError, KeyError) as error:
            got = os.strerror(error.errno) if isinstance(error, OSError) and error.errno else error
            raise DataError(f"{path}: expected what this program has written there, got: {got}") from error
