"""The command `foresense sniff`."""

import json
import logging
import signal
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.table import Table

from edge.duration import duration_text
from edge.errors import ConfigError, DataError
from service.brokers.address import broker_at
from service.brokers.broker import BrokerSettings
from service.configuration import read_broker
from service.output import writing
from service.settings import PublishSettings
from service.sniff.draft import Draft, Findings, draft
from service.sniff.proposal import configuration, training
from service.sniff.survey import Survey
from service.traffic.recorder import Recorder
from service.traffic.recording import RecordingReader

_MOST_CHANNELS = 6  # of a row of the table


@click.command()
@click.argument("recording", required=False, type=click.Path(path_type=Path))
@click.option("--broker", metavar="ADDRESS", help="Where to listen.  [default: localhost:1883]")
@click.option("--username", metavar="NAME", help="Of the broker.")
@click.option("--password-file", type=click.Path(path_type=Path), help="File whose first line is the password.")
@click.option(
    "--config", type=click.Path(path_type=Path), help="File whose section broker says how to reach it, in their place."
)
@click.option("--topic", "filters", multiple=True, metavar="FILTER", help="May be given again.  [default: #]")
@click.option("--seconds", type=click.FloatRange(min=0.1), default=60, show_default=True, help="How long to listen.")
@click.option("--out", required=True, type=click.Path(path_type=Path), help="New configuration file.")
@click.option("--bundle", metavar="NAME", help="Of all monitors.  [default: each one's own name]")
@click.option("--json", "as_json", is_flag=True, help="Print what was found as one JSON object.")
def sniff(
    recording: Path | None,
    broker: str | None,
    username: str | None,
    password_file: Path | None,
    config: Path | None,
    filters: tuple[str, ...],
    seconds: float,
    out: Path,
    bundle: str | None,
    as_json: bool,
) -> None:
    """Listen to what is published, and write a configuration that would watch it.

    RECORDING is a file that `foresense record` has written; with it, nobody is listened to. ADDRESS is HOST, HOST:PORT
    or a URL: mqtt, mqtts, ws or wss. An authority or a certificate of one's own is a matter of --config. Topics,
    payloads, channels, units where messages tell them and intervals are guesses: look them over. The bundles that the
    configuration names are still to be trained.
    """
    logging.basicConfig(level="WARNING", format="%(levelname)s: %(message)s")
    if recording is not None and broker is not None:
        raise ConfigError(f"--broker: expected either a broker or a recording, got {broker} and {recording}")
    if out.exists():
        raise ConfigError(f"--out: expected the name of a new file, got {out}, which is there")
    settings = _broker(broker, username, password_file, config)
    prefix = PublishSettings().prefix
    survey = Survey(f"{prefix}/")
    if recording is not None:
        survey.write(RecordingReader(recording))
    else:
        _listen(settings, filters or ("#",), seconds, survey)
    findings = draft(survey, prefix)
    if not findings.drafts:
        got = f"{survey.messages} on {len(survey.topics)} topics, none of which can"
        raise DataError(f"expected messages that can be read, got {got}")
    text = configuration(findings, settings.model_dump(mode="json", exclude_defaults=True, exclude_none=True), bundle)
    with writing(out):
        out.write_text(text, encoding="utf-8")
    if as_json:
        click.echo(json.dumps(_facts(survey, findings, out)))
    else:
        _tell(survey, findings, out, bundle)


def _broker(
    address: str | None, username: str | None, password_file: Path | None, config: Path | None
) -> BrokerSettings:
    if config is not None:
        if (address, username, password_file) != (None, None, None):
            raise ConfigError("--config: expected it in place of --broker, --username and --password-file, got both")
        return read_broker(config.absolute())
    secret = password_file and password_file.absolute()
    return broker_at("localhost" if address is None else address, username=username, password_file=secret)


def _listen(broker: BrokerSettings, filters: tuple[str, ...], seconds: float, survey: Survey) -> None:
    recorder = Recorder({"": broker}, {"": filters}, survey.write)
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: recorder.stop())
    with Console(stderr=True).status(f"listening to {', '.join(filters)} for {seconds:g} s") as status:
        recorder.run(seconds, None, lambda: status.update(f"{survey.messages} messages on {len(survey.topics)} topics"))


def _facts(survey: Survey, findings: Findings, out: Path) -> dict[str, Any]:
    return {
        "messages": survey.messages,
        "topics": len(survey.topics),
        "unseen": survey.unseen,
        "unknown": len(findings.unknown),
        "overlapping": [made.template for made in findings.overlapping],
        "monitors": [_monitor(made) for made in findings.drafts],
        "file": str(out),
    }


def _monitor(made: Draft) -> dict[str, Any]:
    return {
        "name": made.name,
        "topic": made.template,
        "payload": made.settings["payload"],
        "streams": made.streams,
        "channels": made.channels,
        "units": made.units,
        "interval_ms": made.interval_ms,
        "messages": made.messages,
        "rejects": dict(made.rejects),
    }


def _tell(survey: Survey, findings: Findings, out: Path, bundle: str | None) -> None:
    table = Table("monitor", "topic", "payload", "streams", "channels", "interval", "messages")
    for made in findings.drafts:
        shown = ", ".join(made.channels[:_MOST_CHANNELS])
        channels = shown + (
            f" and {len(made.channels) - _MOST_CHANNELS} more" if len(made.channels) > _MOST_CHANNELS else ""
        )
        interval = duration_text(made.interval_ms) if made.interval_ms else "?"
        row = (made.name, made.template, str(made.settings["payload"]), str(made.streams), channels, interval)
        table.add_row(*row, str(made.messages))
    console = Console(highlight=False, markup=False)
    console.print(table)
    left_out = len(findings.overlapping)
    notes = [
        f"{len(findings.unknown)} topics are not understood" if findings.unknown else "",
        f"{left_out} monitors overlap with others and are commented out" if left_out else "",
        f"{survey.unseen} messages were on more topics than fit" if survey.unseen else "",
    ]
    for note in filter(None, notes):
        click.echo(note)
    first = findings.drafts[0]
    click.echo(f"{out} has a monitor for each line. Look it over, and then:")
    click.echo(f"  foresense record {out} --out traffic.jsonl.gz")
    click.echo(f"  foresense decode {out} traffic.jsonl.gz --monitor {first.name} --out {first.name}.csv")
    click.echo(f"  {training(first, bundle)}")
    click.echo(f"  foresense check {out}")
