"""The commands for MQTT traffic: record it, and turn a recording into readings to train on."""

import json
import logging
import signal
from dataclasses import asdict
from itertools import chain
from pathlib import Path
from time import monotonic

import click
from rich.console import Console

from edge.errors import ConfigError
from edge.topics import Template
from service.configuration import read_settings
from service.desk.choice import choose_monitor
from service.output import writing
from service.traffic.decoder import Decoder
from service.traffic.recorder import Recorder
from service.traffic.recording import RecordingReader, RecordingWriter

_CHANNEL = "value"
_CONFIG = click.argument("config", type=click.Path(path_type=Path))


@click.command()
@_CONFIG
@click.option("--out", required=True, type=click.Path(path_type=Path), help="New file; compressed if it ends in .gz.")
@click.option("--seconds", type=click.FloatRange(min=0), help="End after so long.  [default: with Ctrl-C]")
@click.option("--count", type=click.IntRange(min=1), help="End after so many messages.")
@click.option("--json", "as_json", is_flag=True, help="Print the summary as one JSON object.")
def record(config: Path, out: Path, seconds: float | None, count: int | None, as_json: bool) -> None:
    """Record the messages on the topics of all monitors, as they come.

    CONFIG is the YAML file of the service, which may run meanwhile; the bundles it names need not be there yet.
    """
    logging.basicConfig(level="WARNING", format="%(levelname)s: %(message)s")
    settings = read_settings(config)
    filters: dict[str, list[str]] = {}  # by broker
    for monitor in settings.monitors.values():
        filters.setdefault(monitor.broker, []).append(Template(monitor.topic).filter)
    console = Console(stderr=True)
    with RecordingWriter(out) as file:
        recorder = Recorder(settings.connections, filters, file.write)
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: recorder.stop())
        began = monotonic()
        with console.status(f"recording {', '.join(chain.from_iterable(filters.values()))}") as status:
            recorder.run(seconds, count, lambda: status.update(_progress(recorder, monotonic() - began)))
        took = monotonic() - began
    if as_json:
        facts = {"messages": recorder.messages, "interruptions": recorder.interruptions, "bytes": file.bytes}
        click.echo(json.dumps(facts | {"seconds": round(took, 3), "file": str(out)}))
        return
    lost = f"; the connection was lost {recorder.interruptions} times" if recorder.interruptions else ""
    click.echo(f"{_progress(recorder, took)}, {file.bytes} bytes before compression, in {out}{lost}")


@click.command()
@_CONFIG
@click.argument("recording", type=click.Path(path_type=Path))
@click.option("--out", required=True, type=click.Path(path_type=Path), help="CSV file to write.")
@click.option("--monitor", metavar="NAME", help="Whose topic and payload it is; may be left out if there is one.")
@click.option("--channel", metavar="NAME", help=f"Where neither topic nor payload names it.  [default: {_CHANNEL}]")
@click.option("--json", "as_json", is_flag=True, help="Print the counts as one JSON object.")
def decode(config: Path, recording: Path, out: Path, monitor: str | None, channel: str | None, as_json: bool) -> None:
    """Turn a RECORDING into readings, as a monitor of CONFIG would read its messages.

    The table has the columns stream, time, channel and value, ordered by stream and time, and is what `train`
    and `detect` read.
    """
    monitors = read_settings(config).monitors
    name = choose_monitor(list(monitors), monitor)
    settings = monitors[name]
    if channel is not None and settings.names_channels:
        raise ConfigError(f"--channel: expected it only where messages name none, got it for {name}, whose do")
    reader, decoder = RecordingReader(recording), Decoder(name, settings, channel or _CHANNEL)
    decoder.read(reader)
    with writing(out), out.open("w", encoding="utf-8", newline="") as file:
        decoder.write(file)
    decoded = decoder.decoded
    if as_json:
        click.echo(json.dumps(asdict(decoded) | {"damaged_lines": reader.damaged}))
        return
    unused = {"on other topics": decoded.other, "retained": decoded.retained, **decoded.rejects}
    unused["on damaged lines"] = reader.damaged
    told = "".join(f", {number} {reason}" for reason, number in unused.items() if number)
    click.echo(f"{decoded.readings} readings in {out}, from {decoded.messages} messages{told}")


def _progress(recorder: Recorder, seconds: float) -> str:
    rate = recorder.messages / seconds if seconds else 0.0
    return f"{recorder.messages} messages in {seconds:.1f} s, {rate:.0f} a second"
