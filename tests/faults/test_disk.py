"""The disk is full, or has damaged the database."""

import os
import random
import signal
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from tests.faults.conftest import AFTER, BEFORE, FIRST, PAUSE, SLOTS, STREAMS, Outcome, Site, recording, verdicts_of
from tests.system.conftest import wait_until

pytestmark = pytest.mark.slow

PAGE, MAGIC = 4096, 16  # bytes; without the latter it would not look like a database
AS_ROOT = pytest.mark.skipif(os.geteuid() != 0, reason="needs root, to mount a small file system")


class SmallDisk:
    """A file system of a few megabytes, in memory."""

    def __init__(self, folder: Path) -> None:
        self._filler = folder / "filler"

    def fill(self) -> None:
        """Leave not a byte."""
        with self._filler.open("wb", buffering=0) as file, suppress(OSError):
            while True:
                file.write(bytes(PAGE))

    def free(self) -> None:
        self._filler.unlink()


@pytest.fixture
def disk(site: Site, tmp_path: Path) -> Iterator[SmallDisk]:
    """Return the disk on which the site's service has its database."""
    folder = tmp_path / "disk"
    folder.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=8m", "tmpfs", folder], check=True)
    site.plant.configure(database=str(folder / "foresense.db"), ballast_mb=1)
    site.plant.database = folder / "foresense.db"
    yield SmallDisk(folder)
    site.plant.kill()
    subprocess.run(["umount", folder], check=True)


@AS_ROOT
@pytest.mark.parametrize("killed", [False, True], ids=["", "killed meanwhile"])
def test_on_a_full_disk_alarms_go_on_and_once_it_is_freed_so_do_verdicts(
    killed: bool, site: Site, disk: SmallDisk, reference: Outcome
) -> None:
    site.start()
    site.publish(BEFORE)
    site.wait_for_slots(PAUSE.start)
    disk.fill()
    site.publish(AFTER)
    site.assert_same_alarms(reference)
    if killed:
        site.plant.kill()
    disk.free()
    if killed:
        site.start()
    else:
        wait_until(lambda: "there is room on the disk again" in site.plant.log.read_text(), "the room is noticed")
    later = range(SLOTS, SLOTS + 10)
    site.publish(later)
    since = FIRST + 1000 * (SLOTS + 1)
    stored = "SELECT count(*) FROM verdict WHERE time >= ?"
    wait_until(lambda: site.plant.query(stored, since) >= [(9 * len(STREAMS),)], "verdicts are stored again")

    verdicts, whole = verdicts_of(site.plant, SLOTS).splitlines(), reference.verdicts.splitlines()
    assert set(verdicts) <= set(whole)  # those of the time when it was full are left out
    assert len(verdicts) >= 1 + len(BEFORE) * len(STREAMS)
    site.assert_same_alarms(reference)
    assert site.plant.end() == 0
    count = site.assert_balanced()
    assert killed or count["committed"] == len(recording()) + len(recording(later))


def test_a_torn_tail_of_the_log_costs_nothing(site: Site, reference: Outcome) -> None:
    site.start()
    site.publish(BEFORE)
    site.wait_for_slots(PAUSE.start)
    site.broker.send(signal.SIGSTOP)  # it has no more acknowledgements than before the tear
    site.plant.kill()
    wal = site.plant.database.with_name("foresense.db-wal")
    with wal.open("ab") as file:  # what a power cut leaves of a commit that was under way
        file.write(random.Random(3).randbytes(2 * PAGE + 500))  # noqa: S311
    site.broker.send(signal.SIGCONT)
    site.start()
    site.publish(AFTER)
    site.assert_undisturbed(reference)


@pytest.mark.parametrize("page", ["first", "any"])
def test_a_damaged_database_is_set_aside_at_the_start_and_the_service_comes_up(page: str, site: Site) -> None:
    site.start()
    site.publish(BEFORE)
    site.wait_for_slots(PAUSE.start)
    assert site.plant.end() == 0
    pages = site.plant.database.stat().st_size // PAGE
    damaged = [0] if page == "first" else range(1, pages, 2)
    with site.plant.database.open("r+b") as file:
        for number in damaged:
            file.seek(number * PAGE + MAGIC)
            file.write(random.Random(number).randbytes(PAGE - MAGIC))  # noqa: S311

    site.start()
    site.publish(AFTER)
    wait_until(lambda: site.plant.count("verdict") >= (PAUSE.start - 1) * 6, "verdicts on what comes from now on")
    assert site.plant.end() == 0
    site.assert_balanced()
    assert len(list(site.plant.database.parent.glob("foresense.db.corrupt-*Z"))) == 1
    assert "CRITICAL" in site.plant.log.read_text()
