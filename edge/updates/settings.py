"""The settings of updates on a device."""

from dataclasses import dataclass
from pathlib import Path

from edge.duration import parse_duration
from edge.errors import ConfigError
from edge.updates.topics import DEVICE


@dataclass(frozen=True, slots=True)
class UpdateSettings:
    """Whose bundles a device runs and takes, and how long a new one is on trial."""

    keyring: Path  #: file of the keys that are trusted; see keys.py
    healthy: str = "10min"  #: that a new bundle must do well for before it stays
    groups: tuple[str, ...] = ()  #: that the device belongs to

    def __post_init__(self) -> None:
        self.healthy_ms  # noqa: B018  it must be a duration
        for group in self.groups:
            check_name("groups", group)

    @property
    def healthy_ms(self) -> int:
        """Return how long a new bundle must do well for."""
        try:
            return parse_duration(self.healthy)
        except ConfigError as error:
            raise ConfigError(f"healthy: {str(error).removeprefix('interval: ')}") from error


def check_name(setting: str, name: str) -> None:
    """ConfigError unless this can be the name of a device or a group."""
    if not DEVICE.fullmatch(name):
        raise ConfigError(
            f"{setting}: expected a letter or digit, then up to 63 letters, digits, '-', '_' and '.', got {name!r}"
        )
