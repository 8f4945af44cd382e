"""The units, as systemd's own tools see them."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

UNITS = Path(__file__).parents[2] / "deploy" / "systemd"
SERIAL = "foresense-edge.service.d/serial.conf"
#: of 10; packaged brokers have 9.2
MOST_EXPOSED = {"foresense.service": 1.2, "foresense-edge.service": 1.2, SERIAL: 1.5}


def systemd_analyze(*words: object) -> str:
    if shutil.which("systemd-analyze") is None:
        pytest.skip("needs systemd-analyze: apt-get install systemd")
    done = subprocess.run(["systemd-analyze", *map(str, words)], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


def test_every_unit_is_looked_at() -> None:
    assert {str(path.relative_to(UNITS)) for path in UNITS.rglob("*.*") if path.is_file()} == MOST_EXPOSED.keys()


@pytest.mark.parametrize("name", MOST_EXPOSED)
def test_a_unit_is_in_order_and_may_do_little(name: str, tmp_path: Path) -> None:
    program = tmp_path / "foresense"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    unit = tmp_path / name.partition(".d/")[0]
    unit.write_text((UNITS / unit.name).read_text().replace("/opt/foresense/bin/foresense", str(program)))
    if name != unit.name:  # a drop-in, which systemd looks for beside its unit
        (tmp_path / name).parent.mkdir()
        shutil.copy(UNITS / name, tmp_path / name)

    systemd_analyze("verify", unit)
    said = systemd_analyze("security", "--offline=yes", unit)
    level = re.search(rf"Overall exposure level for {unit.name}: ([\d.]+)", said)
    assert level is not None
    assert float(level[1]) <= MOST_EXPOSED[name]
