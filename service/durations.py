"""Durations as options of commands."""

from typing import Any

import click

from edge.duration import parse_duration
from edge.errors import ConfigError


class Duration(click.ParamType[int]):
    """A duration such as 30min; the command gets milliseconds."""

    name = "duration"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:  # noqa: ARG002
        """Return milliseconds; ConfigError, which names the option, on any other form."""
        try:
            return parse_duration(str(value))
        except ConfigError as error:
            option = param.opts[0] if param is not None else "duration"
            raise ConfigError(f"{option}: {str(error).removeprefix('interval: ')}") from error
