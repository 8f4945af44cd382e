"""What edge/README.md has a person do with a new Raspberry Pi, as far as it can be done here."""

import csv
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).parents[2]
SECTION = re.compile(r"## From a new Raspberry Pi to the first alarm\n(.*?)\n## ", re.DOTALL)
BIN = Path(sys.executable).parent


def commands() -> list[str]:
    """Return the shell commands of the page, each block's."""
    section = SECTION.search((ROOT / "edge" / "README.md").read_text())
    assert section is not None
    return re.findall(r"```sh\n(.*?)```", section[1], re.DOTALL)


def block(word: str) -> str:
    """Return the one block with a word in it."""
    found = [each for each in commands() if word in each]
    assert len(found) == 1, word
    return found[0]


def shell(script: str, folder: Path) -> None:
    subprocess.run(["sh", "-ec", script], cwd=folder, check=True, timeout=120)


def test_every_block_is_a_script() -> None:
    for each in commands():
        subprocess.run(["sh", "-n"], input=each, text=True, check=True)


def test_files_that_the_page_names_are_there() -> None:
    named = re.findall(r"foresense/(deploy/\S+)", "\n".join(commands()))
    assert len(named) == 3
    assert [name for name in named if not (ROOT / name).is_file()] == []


def test_the_recorder_writes_down_what_the_board_says(tmp_path: Path) -> None:
    script = block("board.csv <<").replace("/opt/foresense/bin", str(BIN))
    shell(script.replace("range(720)", "range(3)").replace("sleep(5)", "sleep(0.1)"), tmp_path)
    with (tmp_path / "board.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 3
    assert {"time", "cpu", "memory"} <= rows[0].keys()
    assert all(0 <= float(row["cpu"]) <= 100 for row in rows)


@pytest.mark.slow
def test_the_training_takes_an_hours_recording_and_the_example_watches_with_it(tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    cpu = np.clip(random.normal(6, 2, 720), 0, 100)
    lines = [f"{1_795_650_000 + 5 * k},{each},20,{45 + each / 10},0" for k, each in enumerate(cpu)]
    (tmp_path / "board.csv").write_text("\n".join(["time,cpu,memory,temperature,throttled", *lines]))
    train = next(line for line in block("train board.csv").splitlines() if "train" in line)
    shell(train.replace(".venv/bin", str(BIN)), tmp_path)

    example = (ROOT / "deploy" / "edge.yaml").read_text().replace("/var/lib/foresense-edge", str(tmp_path))
    (tmp_path / "edge.yaml").write_text(example)
    shell(f"{BIN}/foresense edge check edge.yaml", tmp_path)
