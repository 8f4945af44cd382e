"""`foresense demo`: train, verify, serve and replay, with the very commands a user has."""

import json
import os
import sys
from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from threading import Event
from time import monotonic

import click
from rich.console import Console
from rich.table import Table

from edge.errors import ConfigError
from service.demo import recording
from service.demo.outcome import Outcome, read_outcome, wait_for_verdict
from service.demo.processes import broker, free_port, run, service
from service.demo.replay import Sensor

NAME = "water-flow"
MOST_OTHER_ALARMS = 1
BUDGET = "1 per year"  # the recording is of two months, in which not even one false alarm is wanted
CONFIGURATION = """\
broker: {{host: 127.0.0.1, port: {port}, protocol: "3.1.1"}}
http: {{port: {http}}}
database: foresense.db
ballast_mb: 0
history: {{keep: forever}}
bundles: bundles
monitors:
  branch:
    topic: plant/{{site}}/{{device}}/{{channel}}
    payload: json
    value: value
    time: time
    bundle: {bundle}
    budget: {budget}
"""


@click.command()
@click.option(
    "--folder",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path("foresense-demo"),
    show_default=True,
    help="Where bundle, database and picture are put.",
)
@click.option("--once", is_flag=True, help="End at once.  [default: at a terminal, stay up until Ctrl-C]")
@click.option("--json", "as_json", is_flag=True, help="Print the figures as one JSON object, and end at once.")
def demo(folder: Path, once: bool, as_json: bool) -> None:
    """Show the whole of it: train on a real recording, serve, replay it over MQTT, flag what happened.

    The recording is the hourly flow through a branch of a water pipeline. A forecaster is trained on three
    ordinary weeks and exported; an MQTT broker and the service start on this machine; the recording is
    replayed as its sensor would have sent it. Ends with 0 if all four real events were flagged and at most
    one other alarm was raised, else with 1. Takes less than a minute. The dashboard shows all of it live, and stays
    up until it is stopped.
    """
    began = monotonic()
    console = Console(stderr=as_json)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigError(f"--folder: expected one that can be made, got {folder}: {error.strerror}") from error
    readings = recording.load()
    recording.write_csv(readings, folder / f"{NAME}.csv")
    bundle = _train(folder, console)
    database = _fresh_database(folder)
    with broker() as port:
        http = free_port()
        (folder / "foresense.yaml").write_text(CONFIGURATION.format(port=port, http=http, bundle=bundle, budget=BUDGET))
        with service(folder, console):
            console.print(f"dashboard: http://127.0.0.1:{http}/", highlight=False)
            with Sensor(port, "foresense/service/availability") as sensor:
                sensor.wait_until_ready()
                sensor.send(readings, console)
                wait_for_verdict(database, readings[-1][0])
            outcome = read_outcome(database)
            figures = _figures(outcome, readings, folder, bundle, round(monotonic() - began, 1))
            click.echo(json.dumps(figures)) if as_json else _show(figures, outcome, console)
            if not (once or as_json) and sys.stdout.isatty():
                _stay(console, http)
    if len(outcome.flagged) < len(recording.EVENTS) or outcome.others > MOST_OTHER_ALARMS:
        sys.exit(1)


def _figures(
    outcome: Outcome, readings: Sequence[tuple[datetime, float]], folder: Path, bundle: str, seconds: float
) -> dict[str, object]:
    return {
        "events": len(recording.EVENTS),
        "events_flagged": len(outcome.flagged),
        "other_alarms": outcome.others,
        "readings": len(readings),
        "verdicts": len(outcome.time),
        "alarms": [
            {
                "start": alarm.start.isoformat(),
                "end": alarm.end.isoformat(),
                "score": round(alarm.score, 2),
                "event": alarm.event and alarm.event.name,
            }
            for alarm in outcome.alarms
        ],
        "bundle": str(folder / "bundles" / bundle),
        "database": str(folder / "foresense.db"),
        "picture": str(_picture(outcome, folder)),
        "seconds": seconds,
    }


def _stay(console: Console, port: int) -> None:
    """Wait until somebody stops the demo."""
    console.print(f"The dashboard stays at http://127.0.0.1:{port}/ until you press Ctrl-C.", highlight=False)
    with suppress(KeyboardInterrupt):
        Event().wait()


def _train(folder: Path, console: Console) -> str:
    """Train and export a bundle, verify it, and return its NAME/VERSION."""
    answer = run(
        folder, console, "train", f"{NAME}.csv", "--time", "time", "--channel", f"{recording.CHANNEL}={recording.UNIT}",
        "--stream", recording.STREAM, "--interval", recording.INTERVAL, "--zone", recording.ZONE,
        "--start", recording.TRAIN_FROM, "--end", recording.TRAIN_TO, "--name", NAME, "--json",
    )  # fmt: skip
    reference = str(Path(json.loads(answer)["bundle"]).relative_to("bundles"))
    console.print(run(folder, console, "verify", f"bundles/{reference}").rstrip(), highlight=False)
    return reference


def _fresh_database(folder: Path) -> Path:
    for old in folder.glob("foresense.db*"):
        old.unlink()
    return folder / "foresense.db"


def _picture(outcome: Outcome, folder: Path) -> Path:
    os.environ.setdefault("MPLBACKEND", "Agg")
    from service.demo.picture import draw

    draw(outcome, folder / f"{NAME}.png")
    return folder / f"{NAME}.png"


def _show(figures: dict[str, object], outcome: Outcome, console: Console) -> None:
    table = Table("from (UTC)", "to", "value", "expected", "score", "what happened", title="What was flagged in 2022")
    for alarm in outcome.alarms:
        table.add_row(
            f"{alarm.start:%d %b %H:%M}",
            f"{alarm.end:%d %b %H:%M}",
            f"{alarm.value:5.1f}",
            f"{alarm.expected:8.1f}",
            f"{alarm.score:5.1f}",
            alarm.event.name if alarm.event else "nothing known",
        )
    console.print(table)
    console.print(
        f"{figures['events_flagged']} of {figures['events']} real events flagged, {figures['other_alarms']} other "
        f"alarms, {figures['readings']} readings in {figures['seconds']} s"
    )
    for name in ("bundle", "database", "picture"):
        console.print(f"{name:>9}: {figures[name]}", soft_wrap=True)
