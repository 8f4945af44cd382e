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
from models.data import Recording
from service.cli import main

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
    assert told["limit"] > 1


def test_train_says_when_the_network_does_not_beat_the_last_value(tmp_path: Path) -> None:
    walk = tmp_path / "walk.csv"
    steps = np.random.default_rng(0).normal(size=200).cumsum()
    pd.DataFrame({"time": 1_700_000_000 + 60 * np.arange(200), "v": steps}).to_csv(walk, index=False)
    result = run(
        "train", walk, "--time", "time", "--channel", "v", "--out", tmp_path, *BRIEF, "--set", "learning_rate=0.9"
    )
    assert result.exit_code == 0, result.output
    assert "The network does not beat the last value" in result.stderr


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
        (("--start", "2030-01-01"), "expected at least"),
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
    verdicts = pd.read_csv(out)
    assert len(verdicts) == 1600
    assert set(verdicts["channel"]) == {"flow", "heat"}


def test_detect_writes_to_standard_output(data: Path, trained: Bundle) -> None:
    result = run("detect", data, "--bundle", trained.path, "--time", "when", "--device", "dev", "--channel", "flow=F")
    assert result.exit_code == 0
    assert result.stdout.startswith("stream,time,channel,value,expected,lower,upper,score,status,alarm\npump-1,2023-")


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
for arguments in (["train", "--help"], ["detect", {str(data)!r}, *{options!r}]):
    result = CliRunner().invoke(main, arguments)
    assert result.exit_code == 0, result.output
    heavy = {{"tensorflow", "keras", "onnx", "tf2onnx"}} & sys.modules.keys()
    assert not heavy, heavy
    assert arguments[0] == "detect" or "pandas" not in sys.modules
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
