import json
import subprocess
import sys
from pathlib import Path

import pytest

BENCH = Path(__file__).parents[1] / "bench"
FIGURES = {
    "engine.py": {"slots_per_s", "step_rows_per_s", "ratio"},
    "training.py": {"cpu_ratio", "sequence_error", "windows_error"},
}


def test_every_bench_is_named_here() -> None:
    assert {path.name for path in BENCH.glob("*.py")} == FIGURES.keys()


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize("script", FIGURES)
def test_a_bench_runs_by_itself_and_prints_its_figures(script: str) -> None:
    done = subprocess.run([sys.executable, BENCH / script, "--json"], capture_output=True, text=True, check=True)
    assert json.loads(done.stdout).keys() >= FIGURES[script]
