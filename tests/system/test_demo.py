import json
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest
from PIL import Image

FORESENSE = Path(sys.executable).with_name("foresense")


@pytest.mark.slow
def test_the_demo_flags_all_four_events_and_hardly_anything_else(tmp_path: Path) -> None:
    done = subprocess.run(
        [FORESENSE, "demo", "--json"], cwd=tmp_path, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr
    figures = json.loads(done.stdout)
    assert figures["events_flagged"] == 4
    assert figures["other_alarms"] <= 1
    assert figures["readings"] == 1268
    with closing(sqlite3.connect(tmp_path / figures["database"])) as db:
        counts = db.execute("SELECT count(*), count(value), sum(quality = 1 AND value IS NULL) FROM verdict").fetchone()
    assert counts == (figures["verdicts"], 1268, 2)  # twice the sensor was silent for longer than is usual
    assert (tmp_path / figures["bundle"] / "step.onnx").is_file()
    with Image.open(tmp_path / figures["picture"]) as picture:
        assert picture.width > 1000
