import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

BENCH = Path(__file__).parents[1] / "bench"
FIGURES = {
    "engine.py": {"slots_per_s", "step_rows_per_s", "ratio"},
    "training.py": {"cpu_ratio", "sequence_error", "windows_error"},
    "families.py": {"slowest_s", "peak_mb", "families"},
    "sharing.py": {"ratio"},
    "service.py": {"qos1_ratio", "qos0_ratio", "batched_readings_per_s", "batched_alarms_only_per_s", "lost"},
    "latency.py": {"p50_ms", "p99_ms"},
    "api.py": {"requests", "p95_ms", "cpu_us_per_reading_alone", "cpu_us_per_reading_with_http"},
    "ageing.py": {"rows_aged_per_s", "step_p99_ms"},
    "edge_writes.py": {"mb_a_day", "mb_a_day_broker_away"},
    "edge.py": {"start_s", "rss_mb", "rss_mb_per_bundle", "cpu_us_per_reading", "gain_over_window"},
}
OPTIONS = {
    "training.py": ["--short"],
    "families.py": ["--short", "--family", "lstm", "--family", "ar"],
    "sharing.py": ["--short"],
    "service.py": ["--short"],
    "latency.py": ["--short"],
    "api.py": ["--short"],
    "ageing.py": ["--short"],
    "edge_writes.py": ["--short"],
    "edge.py": ["--short"],
}
OF_OTHERS_DATA = {"accuracy.py", "ablation.py"}  # data that is not in the repository


def test_every_bench_is_named_here() -> None:
    assert {path.name for path in BENCH.glob("*.py")} == FIGURES.keys() | OF_OTHERS_DATA


@pytest.mark.slow
@pytest.mark.alone
@pytest.mark.timeout(900)
@pytest.mark.parametrize("script", FIGURES)
def test_a_bench_runs_by_itself_and_prints_its_figures(script: str) -> None:
    assert figures(script, *OPTIONS.get(script, [])).keys() >= FIGURES[script]


@pytest.mark.slow
@pytest.mark.alone
def test_the_accuracy_table_is_made_of_folders_in_their_original_layout(tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    nab, skab = tmp_path / "nab" / "data" / "art", tmp_path / "skab" / "valve1"
    nab.mkdir(parents=True)
    skab.mkdir(parents=True)
    time = pd.date_range("2024-01-01", periods=450, freq="5min")
    wave = np.sin(np.arange(450) / 9) + random.normal(0, 0.01, 450)
    pd.DataFrame({"timestamp": time, "value": wave}).to_csv(nab / "a.csv", index=False)
    sensors = {"datetime": time} | {name: random.normal(size=450).cumsum() for name in ("Pressure", "Current")}
    for name in ("10", "9"):
        pd.DataFrame(sensors | {"anomaly": 0.0, "changepoint": 0.0}).to_csv(skab / f"{name}.csv", sep=";", index=False)

    told = figures("accuracy.py", "--nab", str(tmp_path / "nab"), "--skab", str(tmp_path / "skab"))

    assert [(each["board"], each["file"]) for each in told["files"]] == [
        ("nab", "art/a"),
        ("skab", "valve1/9"),
        ("skab", "valve1/10"),
    ]
    assert told["files"][1]["ar"] == told["files"][2]["ar"]
    errors = told["files"][0]
    assert errors["ar"] < 0.5 * errors["last"]
    assert (told["boards"]["nab"]["files"], told["boards"]["nab"]["last wins"]) == (1, 0)
    linear = min(errors["ar"], errors["ar of 3"])
    assert told["boards"]["nab"]["gru to linear"] == pytest.approx(errors["gru"] / linear, rel=1e-3)


@pytest.mark.slow
@pytest.mark.alone
@pytest.mark.timeout(300)
def test_a_technique_is_taken_out_of_calibration_and_engine(tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    files = tmp_path / "nab" / "data" / "art"
    files.mkdir(parents=True)
    time = pd.date_range("2024-01-01", periods=1200, freq="5min")
    wave = np.sin(np.arange(1200) / 9) + random.normal(0, 0.1, 1200)
    wave[[300, 700, 960]] += 3
    wave[900:920] += 5
    pd.DataFrame({"timestamp": time, "value": wave}).to_csv(files / "a.csv", index=False)
    window = [str(time[880]), str(time[940])]
    (tmp_path / "nab" / "labels").mkdir()
    (tmp_path / "nab" / "labels" / "combined_windows.json").write_text(json.dumps({"art/a.csv": [window]}))

    techniques = ("nothing", "novelty", "rest after an event")
    chosen = [option for technique in techniques for option in ("--without", technique)]
    told = figures("ablation.py", "nab", "--data", str(tmp_path / "nab"), "--family", "last", "--jobs", "1", *chosen)

    assert tuple(told["without"]) == techniques
    assert told["without"]["nothing"]["best"] > 80
    assert told["without"]["rest after an event"]["fixed"] < told["without"]["nothing"]["fixed"]


def figures(script: str, *options: str) -> dict[str, Any]:
    module = f"tests.bench.{script.removesuffix('.py')}"  # by its path its folder would come first, with its `service`
    command = [sys.executable, "-m", module, "--json", *options]
    done = subprocess.run(command, cwd=BENCH.parents[1], capture_output=True, text=True, check=True)
    told: dict[str, Any] = json.loads(done.stdout)
    return told
