import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner, Result

from edge.bundle import Bundle, read_bundle
from models.data.recordings import Recording
from service.cli import main
from service.storage.store import Store
from service.storage.verdict_book import add_series, insert

BRIEF = ("--set", "epochs=3", "--set", "lookback=6", "--set", "units=4", "--set", "stretch=16", "--family", "mlp")


def run(*arguments: object) -> Result:
    return CliRunner().invoke(main, [str(each) for each in arguments])


@pytest.fixture(scope="module")
def data(make_recording: Callable[..., Recording], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a CSV file of two devices and two channels."""
    path = tmp_path_factory.mktemp("data") / "line.csv"
    frames = []
    for name in ("pump-1", "pump-2"):
        recording = make_recording(name, ("flow", "heat"))
        time = pd.to_datetime(recording.slots * recording.interval_ms, unit="ms", utc=True)
        frames.append(
            pd.DataFrame({"when": time, "dev": name, "F": recording.values[:, 0], "heat": recording.values[:, 1]})
        )
    pd.concat(frames).to_csv(path, index=False)
    return path


def test_train_seals_a_bundle_and_says_what_it_is_worth(data: Path, tmp_path: Path) -> None:
    options = ("--time", "when", "--device", "dev", "--channel", "F=l/s", "--channel", "heat", "--out", tmp_path)
    result = run("train", data, *options, *BRIEF, "--zone", "Europe/Rome", "--budget", "2 per week")
    assert result.exit_code == 0, result.output
    manifest = read_bundle(tmp_path / "line" / "1").manifest
    assert [(each.name, each.unit) for each in manifest.channels] == [("F", "l/s"), ("heat", "")]
    assert (manifest.interval_ms, manifest.budget, manifest.time_zone) == (600_000, "2 per week", "Europe/Rome")
    assert str(tmp_path / "line" / "1") in result.output
    assert "800 rows of 2 streams" in result.output
    assert "for 2 per week" in result.output


def test_train_cuts_a_period_and_prints_json(data: Path, tmp_path: Path) -> None:
    period = ("--start", "2023-11-16T06:00", "--end", "2023-11-18T01:00+01:00", "--name", "pump", "--json")
    result = run(
        "train", data, "--time", "when", "--device", "dev", "--channel", "F", "--out", tmp_path, *BRIEF, *period
    )
    assert result.exit_code == 0, result.output
    told = json.loads(result.stdout)
    assert told["bundle"] == str(tmp_path / "pump" / "1")
    assert (told["data"]["start"], told["data"]["end"]) == ("2023-11-16T06:00:00Z", "2023-11-18T00:00:00Z")
    assert told["beats_last_value"] == (told["held_out_error"] < told["last_value_error"])
    assert told["left_out"] is bool(read_bundle(tmp_path / "pump" / "1").manifest.metrics["left_out"])
    assert told["limit"] > 1


def test_train_leaves_out_what_is_excluded_and_the_bundle_says_so(data: Path, tmp_path: Path) -> None:
    faults = tmp_path / "faults.csv"
    faults.write_text("start,end,stream\n2023-11-17T00:00,2023-11-17T02:00,pump-1\n")
    options = ("--time", "when", "--device", "dev", "--channel", "F", "--out", tmp_path, *BRIEF)
    result = run("train", data, *options, "--exclude", "2023-11-16T12:00/2023-11-16T13:00", "--exclude-file", faults)
    assert result.exit_code == 0, result.output
    facts = read_bundle(tmp_path / "line" / "1").manifest.data
    assert (facts["rows"], facts["counts"]["excluded"], facts["counts"]["used"]) == (776, 24, 776)
    assert (facts["gaps"], facts["longest_gap"], facts["interval_given"]) == (3, 12, False)
    assert "776 readings of 2 streams, from 800 rows; 24 excluded" in result.stderr
    assert "a slot every 600 s (the median spacing); 800 slots, 3 gaps, the longest 7200 s" in result.stderr


def test_train_takes_a_folder_in_which_a_file_is_a_stream(data: Path, tmp_path: Path) -> None:
    folder = tmp_path / "pumps"
    folder.mkdir()
    for name, rows in pd.read_csv(data).groupby("dev"):
        rows.to_csv(folder / f"{name}.csv", index=False)
    result = run("train", folder, "--time", "when", "--channel", "F", "--out", tmp_path, *BRIEF, "--json")
    assert result.exit_code == 0, result.output
    assert json.loads(result.stdout)["bundle"] == str(tmp_path / "pumps" / "1")
    assert set(read_bundle(tmp_path / "pumps" / "1").manifest.scaling.streams) == {"pump-1", "pump-2"}


def test_train_and_detect_read_what_the_service_has_kept(
    make_recording: Callable[..., Recording], trained: Bundle, tmp_path: Path
) -> None:
    recording, store = make_recording("pump-1", ("flow", "heat")), Store(tmp_path / "foresense.db")
    store.open()
    with store.transaction():
        (stream,) = store.add_streams("pumps", ["pump-1"])
        series = add_series(store.db, [stream], ["flow", "heat"])[0].tolist()
        times, none = (recording.slots * recording.interval_ms).tolist(), [None] * len(recording.slots)
        for one, values in zip(series, recording.values.T.tolist(), strict=True):
            insert(store.db, times, [one] * len(times), values, none, none, none, [0.5] * len(times), [1] * len(times))
    store.close()
    options = ("--channel", "heat", "--channel", "flow", "--normal", "--out", tmp_path, *BRIEF, "--json")
    result = run("train", tmp_path / "foresense.db", *options)
    assert result.exit_code == 0, result.output
    told = json.loads(result.stdout)
    assert (told["bundle"], told["data"]["rows"]) == (str(tmp_path / "foresense" / "1"), 400)
    detected = run("detect", tmp_path / "foresense.db", "--bundle", trained.path, "--json")
    assert json.loads(detected.stdout)["verdicts"] == 400


@pytest.mark.parametrize(
    ("memory", "options", "simpler"),
    [
        (1.0, (), "the last value"),
        (0.3, (), "the linear forecast beneath it"),
        (0.0, ("--set", "skip=no"), "a constant"),
    ],
)
def test_train_says_that_a_network_which_gains_nothing_is_left_out(
    memory: float, options: tuple[str, ...], simpler: str, tmp_path: Path
) -> None:
    values = np.random.default_rng(0).normal(size=400)
    for slot in range(1, 400):
        values[slot] += memory * values[slot - 1]
    path = tmp_path / "noise.csv"
    pd.DataFrame({"time": 1_700_000_000 + 60 * np.arange(400), "v": values}).to_csv(path, index=False)
    result = run("train", path, "--time", "time", "--channel", "v", "--out", tmp_path, *BRIEF, *options)
    assert result.exit_code == 0, result.output
    assert f"The network is no better than {simpler}, which is used alone." in result.stderr


def test_train_says_when_the_forecast_does_not_beat_the_last_value(data: Path, tmp_path: Path) -> None:
    result = run(
        "train", data, "--time", "when", "--device", "dev", "--channel", "F", "--out", tmp_path, "--family=last"
    )
    assert result.exit_code == 0, result.output
    assert "The forecast does not beat the last value: nothing has been learnt that helps." in result.stderr


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--set", "unit=3"), "setting: expected 'units' perhaps"),
        (("--set", "units"), "option: expected NAME=VALUE, got 'units'"),
        (("--family", "lstn"), "family: expected one of lstm"),
        (("--interval", "soon"), "interval: expected a duration such as '10s'"),
        (("--start", "noon"), "--start: expected a time such as"),
        (("--budget", "often"), "budget: expected a rate"),
        (("--channel", "heet"), "expected a column 'heet'"),
        (
            ("--start", "2030-01-01", "--interval", "10min"),
            "expected at least one reading that can be used, got 800 readings",
        ),
        (("--exclude", "yesterday"), "--exclude: expected START/END such as"),
        (("--only", "pump-3"), "--only: expected a stream that is there (pump-1, pump-2), got 'pump-3'"),
    ],
)
def test_train_tells_what_is_wrong(data: Path, tmp_path: Path, options: tuple[str, ...], message: str) -> None:
    result = run("train", data, "--time", "when", "--device", "dev", "--channel", "F", "--out", tmp_path, *options)
    assert result.exit_code == 2
    assert message in result.stderr


def test_detect_maps_columns_and_writes_a_csv_file(data: Path, trained: Bundle, tmp_path: Path) -> None:
    out = tmp_path / "verdicts.csv"
    options = ("--time", "when", "--device", "dev", "--channel", "flow=F", "--out", out, "--json")
    result = run("detect", data, "--bundle", trained.path, *options)
    assert result.exit_code == 0, result.output
    told = json.loads(result.stdout)
    assert (told["bundle"], told["verdicts"], told["streams"]) == ("pump/1", 800, 2)
    assert told["read"] == {"rows": 800, "empty": 0, "readings": 1600, "excluded": 0, "outside": 0, "other": 0}
    verdicts = pd.read_csv(out)
    assert len(verdicts) == 1600
    assert set(verdicts["channel"]) == {"flow", "heat"}


def test_detect_reads_the_long_table_that_it_wrote(data: Path, trained: Bundle, tmp_path: Path) -> None:
    once, again = tmp_path / "once.csv", tmp_path / "again.csv"
    options = ("--time", "when", "--device", "dev", "--channel", "flow=F")
    assert run("detect", data, "--bundle", trained.path, *options, "--out", once).exit_code == 0
    result = run("detect", once, "--bundle", trained.path, "--out", again)
    assert (result.exit_code, result.stderr) == (0, "")
    first, second = (pd.read_csv(path)[["stream", "time", "channel", "status", "alarm"]] for path in (once, again))
    pd.testing.assert_frame_equal(first, second)


def test_detect_uses_only_what_was_asked_for(data: Path, trained: Bundle) -> None:
    options = ("--time", "when", "--device", "dev", "--channel", "flow=F", "--only", "pump-2")
    period = ("--exclude", "2023-11-16T12:00/2023-11-16T13:00", "--end", "2023-11-17")
    result = run("detect", data, "--bundle", trained.path, *options, *period)
    assert result.exit_code == 0
    rows = [line.split(",") for line in result.stdout.splitlines()[1:]]
    assert {row[0] for row in rows} == {"pump-2"}
    silent = [row for row in rows if row[-1] == "silent"]
    assert [row[1] for row in silent] == ["2023-11-16T11:40:00.000Z"] * 2  # five slots after the last reading
    assert len(rows) - len(silent) == 2 * (138 - 6)  # the day of the bundle's zone ends an hour earlier
    assert result.stderr == (
        "Readings that were not used: 12 excluded, 524 outside the period, 800 of other streams, of 1600.\n"
    )


def test_detect_writes_to_standard_output(data: Path, trained: Bundle) -> None:
    result = run("detect", data, "--bundle", trained.path, "--time", "when", "--device", "dev", "--channel", "flow=F")
    assert result.exit_code == 0
    assert result.stdout.startswith(
        "stream,time,channel,value,expected,lower,upper,score,status,alarm,coverage,quality\npump-1,2023-"
    )


def test_detect_says_what_it_did_not_use(trained: Bundle, tmp_path: Path) -> None:
    path = tmp_path / "line.csv"
    path.write_text("time,flow,heat\n" + "1700000000,1,2\n" * 2)
    result = run("detect", path, "--bundle", trained.path)
    assert (result.exit_code, result.stderr) == (0, "Readings that were not used: 2 duplicate, of 4.\n")


def test_detect_tells_what_is_wrong(data: Path, trained: Bundle, tmp_path: Path) -> None:
    unknown = run("detect", data, "--bundle", trained.path, "--channel", "load=F")
    assert (unknown.exit_code, "expected one of the bundle's flow, heat, got 'load'" in unknown.stderr) == (2, True)
    nothing = run("detect", data, "--bundle", tmp_path / "none")
    assert (nothing.exit_code, "expected a bundle folder, got nothing" in nothing.stderr) == (2, True)


def test_detect_and_help_do_without_tensorflow(data: Path, trained: Bundle) -> None:
    options = ["--bundle", str(trained.path), "--time", "when", "--device", "dev", "--channel", "flow=F", "--json"]
    script = f"""
import sys
from click.testing import CliRunner
from service.cli import main
from service.storage.store import Store
from service.storage.verdict_book import add_series, insert
for arguments in (["train", "--help"], ["detect", {str(data)!r}, *{options!r}]):
    result = CliRunner().invoke(main, arguments)
    assert result.exit_code == 0, result.output
    heavy = {{"tensorflow", "keras", "onnx", "tf2onnx"}} & sys.modules.keys()
    assert not heavy, heavy
    assert arguments[0] == "detect" or "pandas" not in sys.modules
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
