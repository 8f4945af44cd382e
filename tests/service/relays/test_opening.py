import json
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner

from edge.errors import ForesenseError
from service.app import build
from service.cli import main
from tests.conftest import MakeBundle


@pytest.fixture
def config(tmp_path: Path, make_bundle: MakeBundle) -> Path:
    make_bundle()
    (tmp_path / "secret").write_text("whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3\n")
    path = tmp_path / "foresense.yaml"
    settings = {
        "monitors": {"main": {"topic": "plant/{device}/{channel}", "bundle": "pump"}},
        "sinks": {
            "history": {"influx": {"url": "http://localhost:8086", "database": "plant"}, "most_mb": 64},
            "pager": {"webhook": {"url": "https://plant.example/hidden", "secret_file": "secret"}},
        },
    }
    path.write_text(yaml.safe_dump(settings))
    return path


def run_check(path: Path, *options: str) -> tuple[int, list[str]]:
    result = CliRunner().invoke(main, ["check", str(path), *options])
    return result.exit_code, result.output.splitlines()


def changed(config: Path, old: str, new: str) -> None:
    text = config.read_text()
    assert old in text
    config.write_text(text.replace(old, new))


def test_check_tells_where_and_what_each_sink_is_told(config: Path) -> None:
    code, lines = run_check(config)
    assert (code, lines[1:]) == (
        0,
        [
            "history: InfluxDB at http://localhost:8086, database plant: verdicts and alarms; up to 64 MB may wait",
            "pager: webhook at https://plant.example: alarms and incidents from minor; up to 1024 MB may wait",
        ],
    )
    _, lines = run_check(config, "--json")
    assert json.loads(lines[0])["sinks"] == {
        "history": "InfluxDB at http://localhost:8086, database plant: verdicts and alarms",
        "pager": "webhook at https://plant.example: alarms and incidents from minor",
    }


def test_a_secret_that_is_not_there_is_told_with_its_place(config: Path) -> None:
    changed(config, "secret_file: secret", "secret_file: none")
    expected = f"{config}: sinks.pager: {config.parent / 'none'}: expected a readable secret file, got: No such file"
    code, lines = run_check(config)
    assert code == 2
    assert lines[-1].startswith(f"foresense: {expected}")
    with pytest.raises(ForesenseError, match=r"sinks.pager: .*none: expected a readable secret file"):
        build(config)


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("database: plant", "databse: plant", "sinks.history.influx.databse: expected a known key, got 'databse'; did"),
        ("most_mb", "most_gb", "sinks.history.most_gb: expected a known key, got 'most_gb'; did you mean 'most_mb'?"),
        ("pager:", "mqtt:", "expected a name of letters, digits, '-' and '_', other than mqtt, got 'mqtt'"),
        ("    most_mb: 64", "    tls: {}\n    most_mb: 64", "sinks.history: expected tls only beside an https URL"),
        ("database: plant", "bucket: plant\n      user: me", "sinks.history.influx: expected user and password_file"),
    ],
)
def test_a_mistake_is_told_with_its_place(config: Path, old: str, new: str, told: str) -> None:
    changed(config, old, new)
    code, lines = run_check(config)
    assert code == 2
    assert any(told in line for line in lines), lines


def test_the_client_of_influxdb_is_imported_only_where_it_is_needed() -> None:
    program = "import sys, service.app; print('influxdb_client' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"
