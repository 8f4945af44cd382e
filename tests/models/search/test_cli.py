import json
import signal
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest
from click.testing import CliRunner, Result

from edge.bundle import read_bundle
from models.data.recordings import Recording
from models.search.task import Task
from service.cli import main

BRIEF = ("--set", "epochs=2", "--set", "lookback=6", "--set", "units=3", "--set", "stretch=16")


def run(*arguments: object) -> Result:
    return CliRunner().invoke(main, [str(each) for each in arguments])


@pytest.fixture(scope="module")
def data(make_recording: Callable[..., Recording], tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("data") / "line.csv"
    recording = make_recording()
    time = pd.to_datetime(recording.slots * recording.interval_ms, unit="ms", utc=True)
    pd.DataFrame({"time": time, "flow": recording.values[:, 0]}).to_csv(path, index=False)
    return path


@pytest.mark.slow
def test_compare_shows_a_table_and_what_to_use(data: Path, tmp_path: Path) -> None:
    report = tmp_path / "report.html"
    options = ("--family", "mlp", "--family", "ar", "--family", "last", "--report", report)
    result = run("compare", data, "--channel", "flow", *options, *BRIEF)
    assert result.exit_code == 0, result.output
    rows = {line.split()[1]: line for line in result.stdout.splitlines() if line.startswith("│") and "KiB" in line}
    assert set(rows) == {"mlp", "ar", "last"}
    assert "higher" in rows["last"]
    assert "mlp: error 0." in result.stderr
    assert result.stdout.splitlines()[-1].startswith("Use ")
    assert "Comparison report" in report.read_text("utf-8")
    assert "foresense train" in report.read_text("utf-8")


def test_compare_answers_in_json_and_with_1_if_nothing_can_be_trained(data: Path) -> None:
    result = run("compare", data, "--channel", "flow", "--family", "last", "--set", "lookback=5000", "--json")
    told = json.loads(result.stdout)
    assert (result.exit_code, told["recommended"], result.stderr) == (1, None, "")
    assert "expected at least" in told["families"][0]["failure"]


@pytest.mark.parametrize("command", ["compare", "tune"])
@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--family", "lstn"), "--family: expected one of lstm"),
        (("--set", "unit=3"), "setting: expected 'units' perhaps"),
        (("--name", "../x"), "name: expected letters, digits"),
        (("--budget", "often"), "budget: expected a rate"),
    ],
)
def test_what_is_wrong_is_told_before_anything_is_trained(
    data: Path, command: str, options: tuple[str, ...], message: str, tmp_path: Path
) -> None:
    out = ("--out", tmp_path / "out") if command == "tune" else ()
    result = run(command, data, "--channel", "flow", *out, *options)
    assert (result.exit_code, message in result.stderr) == (2, True), result.output
    assert not (tmp_path / "out").exists()


def test_a_wrong_time_budget_is_told(data: Path) -> None:
    result = run("tune", data, "--channel", "flow", "--time-budget", "soon")
    assert (result.exit_code, "--time-budget: expected a duration such as '90s'" in result.stderr) == (2, True)


def test_an_interrupted_comparison_ends_with_the_families_that_are_done(
    data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    train = Task.train

    def interrupted(task: Task, *arguments: object, **options: object) -> object:
        bundle = train(task, *arguments, **options)  # type: ignore[arg-type]
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)
        return bundle

    monkeypatch.setattr(Task, "train", interrupted)
    options = ("--family", "last", "--family", "ar", "--json", *BRIEF)
    result = run("compare", data, "--channel", "flow", *options)
    assert result.exit_code == 0, result.output
    assert [each["family"] for each in json.loads(result.stdout)["families"]] == ["last"]
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


@pytest.mark.slow
def test_tune_seals_the_best_and_reports(data: Path, tmp_path: Path) -> None:
    options = ("--family", "mlp", "--trials", "1", "--jobs", "1", "--out", tmp_path, "--json")
    result = run("tune", data, "--channel", "flow", *options, *BRIEF)
    assert result.exit_code == 0, result.output
    told = json.loads(result.stdout)
    assert told["trials"] == {"complete": 1, "pruned": 0, "failed": 0}
    assert read_bundle(tmp_path / "line" / "1").manifest.spec["units"] == 3
    assert told["command"].startswith(f"foresense train {data} --channel flow --name line")
    assert [each["family"] for each in told["families"]] == ["mlp", "ar", "seasonal", "last"]
    assert "Search report" in (tmp_path / "line.html").read_text("utf-8")
    assert (tmp_path / "line.study").is_file()


@pytest.mark.slow
def test_train_writes_a_report(data: Path, tmp_path: Path) -> None:
    report = tmp_path / "train.html"
    options = ("--channel", "flow", "--family", "mlp", "--out", tmp_path, "--report", report)
    result = run("train", data, *options, *BRIEF)
    assert result.exit_code == 0, result.output
    assert "How it learnt" in report.read_text("utf-8")
    assert (tmp_path / "line" / "1").is_dir()
