"""Durations as options of commands."""

from typing import Any

import click

from edge.duration import parse_duration
from edge.errors import ConfigError

_MOST_MS = parse_duration("100y")  # so that no time is beyond what the database and calendars have


class Duration(click.ParamType[int]):
    """A duration such as 30min; the command gets milliseconds."""

    name = "duration"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:  # noqa: ARG002
        """Return milliseconds; ConfigError, which names the option, on any other form and beyond a century."""
        option = param.opts[0] if param is not None else "duration"
        try:
            duration_ms = parse_duration(str(value))
        except ConfigError as error:
            raise ConfigError(f"{option}: {str(error).removeprefix('interval: ')}") from error
        if duration_ms > _MOST_MS:
            raise ConfigError(f"{option}: expected at most 100y, got {value!r}")
        return duration_ms
