import json
import signal
import subprocess
import sys
from pathlib import Path
from time import sleep

import pandas as pd
import pytest
from click.testing import CliRunner, Result

from models.benchmark.boards import BOARDS
from models.families import FAMILIES
from service.cli import main

BRIEF = ("--set", "lookback=6", "--jobs", 1)


def run(*arguments: object) -> Result:
    return CliRunner().invoke(main, ["benchmark", *map(str, arguments)])


@pytest.mark.slow
@pytest.mark.timeout(120)
def test_a_board_is_judged_and_the_same_command_goes_on(nab: Path, tmp_path: Path) -> None:
    out = tmp_path / "scores"
    options = ("nab", "--data", nab, "--out", out, "--family", "last", *BRIEF)
    first = run(*options, "--files", "*/one.csv", "--json")
    assert first.exit_code == 0, first.output
    told = json.loads(first.stdout)
    assert (told["board"], told["family"], told["series"], told["done"], told["failed"]) == ("nab", "last", 1, 1, 0)
    one, two = out / "realMade" / "one.csv", out / "realMade" / "two.csv"
    assert len(pd.read_csv(one)) == 800
    assert not two.exists()
    written = one.stat().st_mtime_ns
    both = run(*options)
    assert both.exit_code == 0, both.output
    assert both.stdout == f"2 of 2 series of nab judged by last: {out}\n"
    assert one.stat().st_mtime_ns == written
    assert two.exists()
    other = run(*options, "--set", "horizon=2", "--files", "*/one")
    assert other.exit_code == 0, other.output
    assert one.stat().st_mtime_ns > written


@pytest.mark.slow
@pytest.mark.timeout(120)
def test_what_a_scorer_reads_from_one_file_is_joined(smap: Path, tmp_path: Path) -> None:
    for part in ("train", "test"):
        path = smap / "MSL" / f"T-1_{part}.csv"
        path.parent.mkdir(exist_ok=True)
        path.write_bytes((smap / "SMAP" / f"P-1_{part}.csv").read_bytes())
    out = tmp_path / "scores"
    for pattern in ("MSL/*", "SMAP/*"):
        result = run("smap", "--data", smap, "--out", out, "--family", "windowed_gaussian", "--files", pattern)
        assert result.exit_code == 0, result.output
    joined = pd.read_csv(out / "smap.csv")
    assert list(joined.columns) == ["chan", "start", "end"]
    assert list(joined["chan"].unique()) == ["T-1", "P-1"]
    assert ((joined["start"] <= joined["end"]) & (joined["end"] < 400)).all()


@pytest.mark.slow
@pytest.mark.timeout(120)
def test_what_did_not_go_as_asked_is_told(nab: Path, tmp_path: Path) -> None:
    (nab / "data" / "realMade" / "two.csv").write_text("timestamp\n")
    result = run("nab", "--data", nab, "--out", tmp_path / "scores", "--family", "ar", "--set", "lookback=90")
    assert result.exit_code == 1, result.output
    assert "realMade/one: judged by the last value: realMade/one: expected at least 240 slots" in result.stderr
    assert "two.csv: expected a column 'value', got none" in result.stderr
    assert result.stdout.startswith("1 of 2 series of nab judged by ar")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--data", "absent"), "absent: expected NAB's data/<family>/<file>.csv, found no such file"),
        (("--files", "real/*"), "--files: expected a pattern that fits one of 2 series such as realMade/one"),
        (("--family", "lstn"), "family: expected one of lstm"),
        (("--set", "unit=3"), "setting: expected 'units' perhaps"),
        (("--set", "units=100000"), "lookback: expected a memory of at most 65536 numbers"),
        (("--family", "windowed_gaussian", "--set", "units=3"), "--set: expected no settings of windowed_gaussian"),
        (("--out", "/proc/scores"), "/proc/scores: expected a folder that can be written to, got: "),
    ],
)
def test_what_is_wrong_is_told_in_a_sentence(nab: Path, tmp_path: Path, options: tuple[str, ...], message: str) -> None:
    result = run("nab", "--data", nab, "--out", tmp_path / "scores", *options)
    assert result.exit_code == 2
    assert message in result.stderr
    assert result.stderr.count("\n") == 1


@pytest.mark.slow
@pytest.mark.timeout(120)
def test_ctrl_c_keeps_what_is_done(nab: Path, tmp_path: Path) -> None:
    long = nab / "data" / "realMade" / "two.csv"
    pd.concat([pd.read_csv(long)] * 100).to_csv(long, index=False)
    out = tmp_path / "scores"
    options = ["benchmark", "nab", "--data", nab, "--out", out, "--family", "last", *BRIEF]
    script = "from service.cli import main\nif __name__ == '__main__': main()"
    program = tmp_path / "program.py"
    program.write_text(script)
    process = subprocess.Popen(
        [sys.executable, program, *map(str, options)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    try:
        while not (out / "realMade" / "one.csv.json").exists():
            assert process.poll() is None
            sleep(0.1)
        process.send_signal(signal.SIGINT)
        told, complaint = process.communicate(timeout=30)
    finally:
        process.kill()
    assert complaint == "interrupted; what is done is kept, and the same command goes on\n"
    assert (process.returncode, told[:14]) == (1, "1 of 2 series ")
    assert [each.name for each in (out / "realMade").glob("*.csv")] == ["one.csv"]


def test_the_command_is_documented() -> None:
    text = (Path(__file__).parents[3] / "models" / "README.md").read_text()
    for board in BOARDS:
        assert f"foresense benchmark {board}" in text
    told = run("--help").output
    assert all(family in told for family in (*FAMILIES, "windowed_gaussian"))
