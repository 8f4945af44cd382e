"""The choice that a command is about: the one monitor, and a time."""

from collections.abc import Sequence

from edge.errors import ConfigError
from edge.payloads.rejects import RejectError
from edge.payloads.timestamps import epoch_ms


def choose_monitor(names: Sequence[str], name: str | None) -> str:
    """Return the name given, or the only one there is; ConfigError if it is not there or there are several."""
    if name is None and len(names) > 1:
        raise ConfigError(f"--monitor: expected one of {', '.join(names)}, got none")
    if name is not None and name not in names:
        raise ConfigError(f"--monitor: expected one of {', '.join(names)}, got {name!r}")
    return name or names[0]


def moment(option: str, text: str | None, default: int) -> int:
    """Return the time (UTC epoch, ms) that an option tells; ConfigError if it is none."""
    try:
        return default if text is None else epoch_ms(text)
    except RejectError as error:
        raise ConfigError(f"{option}: {error.detail}") from error
