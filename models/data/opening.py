"""Opening: what the command line says of recorded data, to the source and the selection it means."""

from collections.abc import Callable, Sequence
from dataclasses import fields
from pathlib import Path
from typing import TypeVar

from edge.errors import ConfigError
from edge.secret import read_secret
from models.data.options import DataOptions
from models.data.periods import Period, parse_moment, parse_period, read_periods
from models.data.recordings import Data
from models.data.selection import Selection
from models.data.sources.files import Files
from models.data.sources.history import History, is_history
from models.data.sources.influx import Credentials, Influx
from models.data.sources.layout import Layout
from models.data.sources.source import Source

T = TypeVar("T")
_ALL = {"data", "time", "only", "start", "end", "exclude", "exclude_file"}
_OF_FILES = _ALL | {"device", "stream", "channel_column", "value_column"}
_OF_HISTORY = _ALL | {"monitor", "normal"}
_OF_INFLUX = _ALL | {"device", "stream", "database", "measurement", "user", "password_file", "token_file"}


def open_data(options: DataOptions, channels: Sequence[str], time_zone: str) -> Data:
    """Return the data that the options tell of, nothing of it read yet; ConfigError if they do not fit.

    `channels` are the columns or fields to read, in order; times without an offset are of the zone.
    """
    selection = Selection(
        read_option("--start", parse_moment, options.start, time_zone) if options.start else None,
        read_option("--end", parse_moment, options.end, time_zone) if options.end else None,
        tuple(_excluded(options, time_zone)),
        frozenset(options.only),
    )
    return Data(_source(options, tuple(channels), selection, time_zone), tuple(channels), selection)


def _source(options: DataOptions, channels: tuple[str, ...], selection: Selection, time_zone: str) -> Source:
    path = Path(options.data)
    if "://" in options.data:
        _check_fit(options, "a file", _OF_INFLUX)
        return _influx(options, channels, selection)
    if is_history(path):
        _check_fit(options, "a table or InfluxDB", _OF_HISTORY)
        period = selection.start_ms, selection.end_ms
        return History(path, channels, options.monitor, options.normal, *period)
    _check_fit(options, "a service's database or InfluxDB", _OF_FILES)
    if options.value_column and not options.channel_column:
        raise ConfigError("--value-column: expected --channel-column beside it, got none")
    value = options.value_column or "value"
    layout = Layout(options.time, channels, options.device, options.channel_column, value, time_zone)
    return Files(path, layout, options.stream)


def _influx(options: DataOptions, channels: tuple[str, ...], selection: Selection) -> Influx:
    if not options.database or not options.measurement:
        raise ConfigError(f"{options.data}: expected --database and --measurement, got only one of them or none")
    if (options.user is None) != (options.password_file is None):
        raise ConfigError("--user: expected --user and --password-file, got only one of them")
    if options.user is not None and options.token_file is not None:
        raise ConfigError("--token-file: expected either a token or a user, got both")
    return Influx(
        options.data,
        options.database,
        options.measurement,
        channels,
        options.device,
        options.stream,
        selection.start_ms,
        selection.end_ms,
        Credentials(
            read_secret(options.token_file) if options.token_file else None,
            options.user,
            read_secret(options.password_file) if options.password_file else "",
        ),
    )


def _check_fit(options: DataOptions, other: str, fitting: set[str]) -> None:
    """Refuse an option that would do nothing for this kind of data."""
    for each in fields(options):
        if each.name not in fitting and getattr(options, each.name):
            name = each.name.replace("_", "-")
            raise ConfigError(f"--{name}: expected it only where DATA is {other}, got it with {options.data}")


def _excluded(options: DataOptions, time_zone: str) -> list[Period]:
    periods = [read_option("--exclude", parse_period, each, time_zone) for each in options.exclude]
    return periods + (read_periods(options.exclude_file, time_zone) if options.exclude_file else [])


def read_option(name: str, parse: Callable[[str, str], T], text: str, time_zone: str) -> T:
    """Return what the text of an option means; ConfigError names the option."""
    try:
        return parse(text, time_zone)
    except ConfigError as error:
        raise ConfigError(f"{name}: {error}") from error
