"""A long run: memory (but for the pages of the database), descriptors and threads are flat, though links are cut."""

import time
from pathlib import Path

import pytest

from service.storage.store import CACHE_KIB
from tests.faults.conftest import LONG, Site
from tests.faults.proxy import Proxy
from tests.faults.test_burst import flood, resident
from tests.system.conftest import World, wait_until

pytestmark = pytest.mark.slow

SOAK_S = 3600 if LONG else 30


def descriptors(pid: int) -> int:
    return len(list(Path(f"/proc/{pid}/fd").iterdir()))


def threads(pid: int) -> int:
    return len(list(Path(f"/proc/{pid}/task").iterdir()))


@pytest.mark.alone
@pytest.mark.timeout(SOAK_S + 200)
def test_memory_descriptors_and_threads_are_flat_over_a_long_run(site: Site, proxy: Proxy) -> None:
    devices = World(site.broker)
    site.start()
    pid, number = site.plant.pid, 0
    number = flood(500, SOAK_S / 4, number, devices)  # what is allocated once is there then
    before = resident(pid), descriptors(pid), threads(pid)
    until = time.monotonic() + 3 * SOAK_S / 4
    while time.monotonic() < until:
        number = flood(500, 5, number, devices)
        proxy.cut()
    wait_until(lambda: proxy.links == 2, "connected again", 60)
    number = flood(500, 2, number, devices)
    after = resident(pid), descriptors(pid), threads(pid)
    devices.close()
    assert site.plant.end() == 0
    site.assert_balanced()
    assert after[0] < before[0] + (CACHE_KIB + 16 * 1024) * 1024, f"{before} before, {after} after {number} readings"
    assert after[1] <= before[1] + 2
    assert after[2] <= before[2] + 1
