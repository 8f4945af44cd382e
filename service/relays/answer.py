"""An answer: what came of a request to a sink's server, and what is to be done about it."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Self

import urllib3.exceptions

_LONGEST_SAID = 300  # characters
_REFUSED = {400, 413, 422}  # the request itself; sent again it would be refused again
_HINTS = {401: "are user, password or token right?", 403: "may this user or token write there?", 404: "does it exist?"}


@dataclass(frozen=True, slots=True)
class Answer:
    """What a server said, or why it said nothing."""

    status: int  #: of HTTP; 0 where no answer came
    said: str = ""
    retry_after_s: float | None = None  #: what the server asks for
    final: bool = False  #: it is not to be tried again, whatever was said

    @classmethod
    def of(cls, status: int, body: bytes | str, headers: Mapping[str, str]) -> Self:
        """Return the answer that came."""
        said = " ".join(_words(body).split())[:_LONGEST_SAID]
        asked = headers.get("Retry-After") if status in {429, 503} else None
        return cls(status, said, None if asked is None else _seconds(asked))

    @classmethod
    def none(cls, error: Exception) -> Self:
        """Return that no answer came; what is said of it names no path of a URL, which may hold a secret."""
        match error:
            case urllib3.exceptions.NewConnectionError():  # urllib3 has it as a ConnectTimeoutError too
                return cls(0, f"no connection: {str(error).rpartition('connection: ')[2]}")
            case urllib3.exceptions.ConnectTimeoutError():
                return cls(0, "no connection within the time")
            case urllib3.exceptions.TimeoutError():
                return cls(0, "no answer within the time")
        return cls(0, f"{type(error).__name__}: {error.args[-1] if error.args else ''}"[:_LONGEST_SAID])

    @property
    def delivered(self) -> bool:
        """Whether the server has taken it."""
        return 200 <= self.status < 300

    @property
    def refused(self) -> bool:
        """Whether it would be refused again, as something in it is wrong."""
        return self.final or self.status in _REFUSED

    def __str__(self) -> str:
        if not self.status:
            return self.said
        hint = _HINTS.get(self.status)
        return " ".join(part for part in (str(self.status), self.said, f"({hint})" if hint else "") if part)


def _words(body: bytes | str) -> str:
    """Return what a body says; of the JSON of an error, its message."""
    text = body.decode("utf-8", "replace") if isinstance(body, bytes) else body
    try:
        told = json.loads(text)
    except ValueError:
        return text
    message = (told.get("error") or told.get("message")) if isinstance(told, dict) else None
    return message if isinstance(message, str) else text


def _seconds(asked: str) -> float | None:
    """Return what a header Retry-After asks for, in seconds from now; None if it cannot be read."""
    try:
        return max(0.0, float(int(asked)))
    except ValueError:
        pass
    try:
        until = parsedate_to_datetime(asked)
    except ValueError:
        return None
    return max(0.0, (until.replace(tzinfo=until.tzinfo or UTC) - datetime.now(UTC)).total_seconds())
