"""Secrets: passwords and tokens lie in files, never on a command line or in a configuration."""

from pathlib import Path

from edge.errors import ConfigError


def read_secret(path: Path, what: str = "password") -> str:
    """Return the first line of a file; ConfigError, which says what it is, if that cannot be read or is empty."""
    try:
        lines = path.read_text().splitlines()
    except (OSError, UnicodeDecodeError) as error:
        got = error.strerror if isinstance(error, OSError) else "bytes that are no text"
        raise ConfigError(f"{path}: expected a readable {what} file, got: {got}") from error
    if not lines or not lines[0]:
        raise ConfigError(f"{path}: expected a {what} in the first line, got an empty one")
    return lines[0]


class Secret:
    """A secret that does not show itself in logs or messages."""

    def __init__(self, text: str) -> None:
        self._text = text

    def __repr__(self) -> str:
        return "Secret('**********')"

    def get_secret_value(self) -> str:
        """Return what it is."""
        return self._text
