"""The address of a source, as the configuration writes it."""

import re
from dataclasses import dataclass
from typing import Literal, Self

from edge.errors import ConfigError

Kind = Literal["stdin", "file", "serial", "function"]
_FUNCTION = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)*:[A-Za-z_]\w*", re.ASCII)


@dataclass(frozen=True, slots=True)
class Address:
    """A kind of source, and where it is."""

    kind: Kind
    place: str  #: a path; of a function, MODULE:FUNCTION; '' of stdin

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read `stdin`, `file:PATH`, `serial:PATH` or `MODULE:FUNCTION`; ConfigError for anything else.

        >>> Address.parse("serial:/dev/ttyUSB0")
        Address(kind='serial', place='/dev/ttyUSB0')
        """
        kind, _, place = text.partition(":")
        if text == "stdin":
            return cls("stdin", "")
        if kind == "file" and place:
            return cls("file", place)
        if kind == "serial" and place:
            return cls("serial", place)
        if _FUNCTION.fullmatch(text):
            return cls("function", text)
        raise ConfigError(f"source: expected stdin, file:PATH, serial:PATH or MODULE:FUNCTION, got {text!r}")
