import json
import subprocess
import sys

from click.testing import CliRunner

from models.families import FAMILIES
from service.cli import main


def test_every_family_is_listed() -> None:
    result = CliRunner().invoke(main, ["families"])
    assert result.exit_code == 0, result.output
    lines = result.output.splitlines()
    assert [line.split()[0] for line in lines] == ["family", *FAMILIES]
    assert max(map(len, lines)) <= 120
    assert "lstm       network  O(1)      gradient    yes  yes    full       16     34  " in result.output


def test_json_tells_the_facts() -> None:
    told = json.loads(CliRunner().invoke(main, ["families", "--json"]).output)
    assert list(told) == list(FAMILIES)
    assert told["ar"]["kind"] == "baseline"
    assert [(told[name]["tflite"], told[name]["int8"]) for name in ("lstm", "bilstm")] == [
        (True, "full"),
        (True, "weights"),
    ]
    assert (told["bigru"]["streams"], told["bigru"]["memory"]) == (False, 2 + 23 * 5)
    assert told["seasonal"]["settings"] == ["horizon", "season"]


def test_families_are_listed_without_tensorflow() -> None:
    script = """
import sys
from click.testing import CliRunner
from service.cli import main
assert CliRunner().invoke(main, ["families"]).exit_code == 0
heavy = {"tensorflow", "keras", "onnx", "tf2onnx", "pandas"} & sys.modules.keys()
assert not heavy, heavy
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
