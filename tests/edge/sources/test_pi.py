"""The board's own values, from the files of a Raspberry Pi and of other machines."""

from pathlib import Path

import pytest

from edge.sources import pi
from edge.sources.pi import Board

MEMORY = "MemTotal:        1000 kB\nMemFree:          100 kB\nMemAvailable:     750 kB\n"


def write(root: Path, path: str, text: str) -> None:
    (root / path).parent.mkdir(parents=True, exist_ok=True)
    (root / path).write_text(text)


def test_a_pi_tells_temperature_throttling_memory_and_processor(tmp_path: Path) -> None:
    write(tmp_path, "sys/class/thermal/thermal_zone0/temp", "48312\n")
    write(tmp_path, "sys/devices/platform/soc/soc:firmware/get_throttled", "50005\n")
    write(tmp_path, "proc/meminfo", MEMORY)
    write(tmp_path, "proc/stat", "cpu  10 0 10 70 10 0 0 0 0 0\ncpu0 1 2 3\n")
    board = Board(tmp_path)
    assert board.read() == {"temperature": 48.312, "throttled": 1.0, "memory": 25.0}
    write(tmp_path, "proc/stat", "cpu  30 0 20 120 30 0 0 0 0 0\n")
    assert board.read()["cpu"] == pytest.approx(30.0)


def test_what_was_throttled_once_is_not_now(tmp_path: Path) -> None:
    write(tmp_path, "sys/devices/platform/soc/soc:firmware/get_throttled", "50000\n")
    assert Board(tmp_path).read() == {"throttled": 0.0}


def test_a_machine_without_these_files_tells_nothing(tmp_path: Path) -> None:
    assert Board(tmp_path).read() == {}


def test_this_machine_tells_what_memory_is_in_use() -> None:
    assert 0 < pi.read()["memory"] < 100
