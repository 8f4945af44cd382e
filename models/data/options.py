"""The options of commands that read recorded data: what they are called, and what they come to."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from edge.manifest import Channel
    from models.data.account import Account
    from models.data.recordings import Recording

Command = Callable[..., None]


@dataclass(frozen=True, slots=True)
class DataOptions:
    """What the command line says of the data, but for the channels."""

    data: str
    time: str
    device: str | None
    stream: str | None
    channel_column: str | None
    value_column: str | None
    only: tuple[str, ...]
    start: str | None
    end: str | None
    exclude: tuple[str, ...]
    exclude_file: Path | None
    monitor: str | None
    normal: bool
    database: str | None
    measurement: str | None
    user: str | None
    password_file: Path | None
    token_file: Path | None

    @property
    def name(self) -> str:
        """Return what the data is called: the measurement, or the file or folder without its ending."""
        from models.data.sources.files import stem

        return self.measurement or stem(Path(self.data))


@dataclass(frozen=True, slots=True)
class RecordingOptions:
    """What the command line says of data that is cut into slots, to be learnt from."""

    data: DataOptions
    channels: tuple[str, ...]
    interval: str | None
    time_zone: str

    def read(self) -> "Recorded":
        """Read the data; DataError and ConfigError say what is wrong with it or with an option."""
        from edge.duration import parse_duration
        from models.data.channels import parse_channel
        from models.data.opening import open_data
        from models.data.recordings import read_recordings

        channels = tuple(parse_channel(each) for each in self.channels)
        interval_ms = parse_duration(self.interval) if self.interval else None
        recordings, account = read_recordings(
            open_data(self.data, tuple(each.name for each in channels), self.time_zone), interval_ms, channels
        )
        return Recorded(recordings, account, channels, self.time_zone)


@dataclass(frozen=True, slots=True)
class Recorded:
    """What was read to be learnt from."""

    recordings: "list[Recording]"
    account: "Account"
    channels: "tuple[Channel, ...]"
    time_zone: str


_FILE = click.Path(path_type=Path)
_ARGUMENT = click.argument("data")
_DATA: Sequence[Callable[[Command], Command]] = (
    click.option("--time", default="time", show_default=True, metavar="COL", help="Column of the times."),
    click.option(
        "--device",
        metavar="COL",
        help="Column, or tag of InfluxDB, that tells the streams apart; without one a file is one stream.",
    ),
    click.option("--stream", metavar="NAME", help="Name of that one stream.  [default: the file's name]"),
    click.option("--channel-column", metavar="COL", help="Long table: column that names a row's channel."),
    click.option("--value-column", metavar="COL", help="Long table: column of the values.  [default: value]"),
    click.option("--only", multiple=True, metavar="STREAM", help="Use this stream only; may be given again."),
    click.option("--start", metavar="TIME", help="Use the data from here on."),
    click.option("--end", metavar="TIME", help="Use the data before this."),
    click.option("--exclude", multiple=True, metavar="START/END", help="Do not use this period; may be given again."),
    click.option("--exclude-file", type=_FILE, metavar="CSV", help="Nor these: columns start, end and perhaps stream."),
    click.option("--monitor", metavar="NAME", help="Service's database: the monitor, if there are several."),
    click.option("--normal", is_flag=True, help="Service's database: use only what was judged normal."),
    click.option("--database", metavar="NAME", help="InfluxDB: the database."),
    click.option("--measurement", metavar="NAME", help="InfluxDB: the measurement; its fields are the channels."),
    click.option("--user", metavar="NAME", help="InfluxDB: the user."),
    click.option("--password-file", type=_FILE, help="InfluxDB: a file with the user's password."),
    click.option("--token-file", type=_FILE, help="InfluxDB: a file with a token, instead of a user."),
)
_RECORDING: Sequence[Callable[[Command], Command]] = (
    click.option(
        "--channel",
        "channels",
        required=True,
        multiple=True,
        metavar="COL[=UNIT]",
        help="Column or field to watch, or COL:aggregate=mean,unit=l/min,counter=yes,gap=hold,least=0,most=9.",
    ),
    click.option("--interval", metavar="DURATION", help="Such as 10s, 5min, 1h.  [default: the median spacing]"),
    click.option("--zone", "time_zone", default="UTC", show_default=True, help="Of times without offset, and of days."),
)


def data_options(command: Command) -> Command:
    """Give a command the argument DATA and the options that tell how it is read, as `data: DataOptions`."""
    return _collected(command, "data", DataOptions, [_ARGUMENT, *_DATA])


def recording_options(command: Command) -> Command:
    """Give a command what data_options gives, channels, interval and zone, as `recorded: RecordingOptions`."""
    recorded = _collected(command, "recorded", RecordingOptions, [])
    return _collected(recorded, "data", DataOptions, [_ARGUMENT, *_RECORDING, *_DATA])


def _collected(
    command: Command, name: str, kind: type[Any], options: Sequence[Callable[[Command], Command]]
) -> Command:
    """Give a command options, and make one argument of those whose names are the fields of a kind."""

    @wraps(command)
    def call(**given: Any) -> None:
        own = {each.name: given.pop(each.name) for each in fields(kind)}
        command(**given, **{name: kind(**own)})

    collected: Command = call
    for option in reversed(options):
        collected = option(collected)
    return collected
