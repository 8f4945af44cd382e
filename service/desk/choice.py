"""The choice that a command is about: the one monitor, and a time."""

import re
from collections.abc import Sequence

from edge.errors import ConfigError
from edge.payloads.rejects import RejectError
from edge.payloads.timestamps import epoch_ms

_DAY = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_EPOCH = re.compile(r"\d{1,30}(?:\.\d{0,30})?", re.ASCII)


def choose_monitor(names: Sequence[str], name: str | None) -> str:
    """Return the name given, or the only one there is; ConfigError if it is not there or there are several."""
    if name is None and len(names) > 1:
        raise ConfigError(f"--monitor: expected one of {', '.join(names)}, got none")
    if name is not None and name not in names:
        raise ConfigError(f"--monitor: expected one of {', '.join(names)}, got {name!r}")
    return name or names[0]


def moment(option: str, text: str | None, default: int) -> int:
    """Return the time (UTC epoch, ms) that an option tells; ConfigError if it is none.

    It may be ISO 8601, of UTC where no offset is told, a day, which is its beginning, or an epoch in s, ms, us or ns.

    >>> moment("--from", "2023-11-15", 0), moment("--from", "1700006400", 0), moment("--from", None, 0)
    (1700006400000, 1700006400000, 0)
    """
    if text is None:
        return default
    whole = f"{text}T00:00:00Z" if _DAY.fullmatch(text) else text
    try:
        return epoch_ms(float(text) if _EPOCH.fullmatch(text) else whole)
    except RejectError as error:
        raise ConfigError(f"{option}: {error.detail}") from error
