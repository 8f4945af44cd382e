"""Parts: what else lives in the agent, such as the update of bundles, and what the agent is to it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Health:
    """How a monitor does with its bundle, since that took charge."""

    bundle: str  #: NAME/VERSION
    since_s: float = 0.0  #: how long it has been in charge
    verdicts: int = 0
    scored: int = 0  #: of these, with a score
    not_finite: int = 0  #: of these, by a forecast that is no number
    failures: int = 0  #: times that the engine has raised
    alarms: int = 0  #: raised
    newest_ms: int | None = None  #: start of the newest slot with a verdict, UTC epoch


class Host(Protocol):
    """What the agent is to a part; to be called on the main thread."""

    @property
    def device(self) -> str:
        """Return the name of this device."""

    @property
    def prefix(self) -> str:
        """Return what the topics begin with."""

    @property
    def bundles(self) -> Path:
        """Return the folder of all bundles."""

    @property
    def is_connected(self) -> bool:
        """Return whether what is published now is not lost, as far as is known."""

    def publish(self, topic: str, payload: bytes, retain: bool = False) -> None:
        """Publish at QoS 1, where alarms are published; it is lost if there is no connection."""

    def switch(self, monitor: str, path: Path) -> None:
        """Have the bundle in a folder take charge of a monitor; ConfigError or BundleError: the old one goes on."""

    def health(self, monitor: str) -> Health:
        """Return how a monitor does; of no bundle if it has none that can be opened."""

    def monitors(self) -> Mapping[str, str]:
        """Return the name of the bundle that each monitor follows; one with a version of its own follows none."""


class Part(Protocol):
    """Something else that lives in the agent. Its constructor does nothing; all is called on the main thread."""

    @property
    def filters(self) -> Sequence[str]:
        """Return which topics it wants of the broker that alarms go to."""

    def start(self, host: Host) -> None:
        """Begin, before there is a connection."""

    def cannot_open(self, bundle: str, instead: str, reason: str) -> None:
        """Take note, before there is a connection, that the version of a bundle in charge cannot be opened, and why.

        `instead` is the version before it with which its monitors go on, '' if they do without.
        """

    def on_message(self, topic: str, payload: bytes) -> None:
        """Take a message on one of its topics, which is acknowledged then."""

    def turn(self) -> None:
        """Do what is due; called about once a second."""

    def stop(self) -> None:
        """End."""
