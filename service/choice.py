"""The choice of the one monitor that a command is about."""

from collections.abc import Sequence

from edge.errors import ConfigError


def choose_monitor(names: Sequence[str], name: str | None) -> str:
    """Return the name given, or the only one there is; ConfigError if it is not there or there are several."""
    if name is None and len(names) > 1:
        raise ConfigError(f"--monitor: expected one of {', '.join(names)}, got none")
    if name is not None and name not in names:
        raise ConfigError(f"--monitor: expected one of {', '.join(names)}, got {name!r}")
    return name or names[0]
