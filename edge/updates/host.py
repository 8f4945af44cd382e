"""The host: what updates need of the program they are part of."""

from collections.abc import Mapping
from pathlib import Path
from typing import Protocol


class Health(Protocol):
    """How a monitor has done since its bundle took charge."""

    @property
    def bundle(self) -> str:
        """NAME/VERSION."""

    @property
    def verdicts(self) -> int:
        """How many were given."""

    @property
    def not_finite(self) -> int:
        """How many of them have a score or a forecast that is no number."""

    @property
    def failures(self) -> int:
        """Exceptions of the engine."""

    @property
    def alarms(self) -> int:
        """How many were raised."""

    @property
    def newest_ms(self) -> int | None:
        """Time of the newest slot with a verdict (UTC epoch ms), None before there is one."""

    @property
    def since_s(self) -> float:
        """How long the bundle has been in charge, seconds."""


class Host(Protocol):
    """The program that runs the bundles."""

    @property
    def bundles(self) -> Path:
        """Folder of all bundles."""

    def publish(self, topic: str, payload: bytes, retain: bool = False) -> None:
        """Publish; what is said while there is no connection is lost."""

    def monitors(self) -> Mapping[str, str]:
        """Return the name of the bundle that each monitor runs."""

    def switch(self, monitor: str, path: Path) -> None:
        """Have a monitor go on with another bundle; ForesenseError, and the one before goes on, if it cannot."""

    def health(self, monitor: str) -> Health:
        """Tell how a monitor has done since its bundle took charge."""
