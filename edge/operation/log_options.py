"""The options of commands that run until they are ended: how much they log, and in which form."""

from collections.abc import Callable
from typing import Any, TypeVar

import click

_F = TypeVar("_F", bound=Callable[..., Any])

_LEVEL = click.option(
    "--log-level", type=click.Choice(["debug", "info", "warning", "error"]), default="info", show_default=True
)
_FORMAT = click.option(
    "--log-format", type=click.Choice(["text", "json"]), default="text", show_default=True, help="A line of JSON each."
)


def log_options(command: _F) -> _F:
    """Give a command the options `log_level` and `log_format`."""
    return _LEVEL(_FORMAT(command))
