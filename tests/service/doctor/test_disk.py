from pathlib import Path

import pytest

from service.doctor.disk import look_at_disk, mount_of
from service.doctor.finding import Level
from service.doctor.history import History

DAY_MS = 86_400_000
MOUNTS = """\
22 1 8:1 / / rw,relatime - ext4 /dev/root rw
23 22 0:20 / /dev/shm rw,nosuid - tmpfs tmpfs rw,size=100k
24 22 0:21 / {folder}/memory rw - tmpfs tmpfs rw
25 22 0:22 / {folder}/with\\040space rw - nfs4 server:/x rw,vers=4.2
26 22 0:23 / {folder}/layer rw - overlay overlay rw,lowerdir=/a
27 22 8:2 / {folder}/hasty rw,noatime - ext4 /dev/sdb rw,nobarrier
"""


@pytest.mark.parametrize(
    ("folder", "level", "said"),
    [
        ("disk", Level.OK, "is on ext4"),
        ("memory", Level.WARN, "is in memory (tmpfs): all is gone when this host restarts"),
        ("with space", Level.WARN, "is on a network (nfs4), where SQLite may lose data"),
        ("layer", Level.WARN, "is within a container (overlay)"),
        ("hasty", Level.WARN, "keeps nothing for sure (ext4, nobarrier)"),
    ],
)
def test_a_file_system_that_does_not_keep_what_it_is_given_is_told(
    tmp_path: Path, folder: str, level: Level, said: str
) -> None:
    mounts = tmp_path / "mountinfo"
    mounts.write_text(MOUNTS.format(folder=tmp_path))
    (tmp_path / folder).mkdir()
    _, finding = look_at_disk(tmp_path / folder / "data" / "foresense.db", None, mounts)
    assert (finding.level, said in finding.said) == (level, True), finding
    assert bool(finding.remedy) == (level is not Level.OK)


def test_the_mounts_of_this_host_can_be_read() -> None:
    assert mount_of(Path("/proc/self"))[0] == "proc"


@pytest.mark.parametrize(
    ("gib_a_day", "level"), [(0.0, Level.OK), (1e-6, Level.OK), (1e6, Level.FAIL)], ids=["unknown", "slow", "fast"]
)
def test_the_growth_of_the_database_says_how_long_the_disk_lasts(
    tmp_path: Path, gib_a_day: float, level: Level
) -> None:
    history = History({}, 0, 10 * DAY_MS, round(10 * gib_a_day * 2**30))
    finding, _ = look_at_disk(tmp_path / "foresense.db", history)
    assert finding.level is level
    assert ("days at" in finding.said) == (gib_a_day > 0)


def test_an_hour_of_verdicts_is_needed_to_tell_the_growth() -> None:
    assert History({}, 0, DAY_MS // 25, 1000).bytes_a_day == 0
    assert History({}, None, None, 1000).bytes_a_day == 0
    assert History({}, 0, 2 * DAY_MS, 1000).bytes_a_day == 500
