"""The real command on a disk of its own that is filled and freed: a tmpfs, in a namespace of mounts of its own."""

import shutil
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from tests.conftest import MakeBundle
from tests.system.conftest import Broker, Plant, World, wait_until
from tests.system.test_service import monitor, recording

SIZE_MIB, BALLAST_MIB = 48, 8
#: mounts a small disk at $1, says so, and lives until it is killed; what runs within is reached through its mounts
KEEPER = 'mount -t tmpfs -o size=$0 none "$1" && echo mounted && exec sleep 600'


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[tuple[int, Path]]:
    """Return the process that holds a small disk, and where it is mounted there."""
    if shutil.which("unshare") is None:
        pytest.skip("needs unshare")
    place = tmp_path / "disk"
    place.mkdir()
    keeper = subprocess.Popen(
        ["unshare", "-rm", "sh", "-c", KEEPER, f"{SIZE_MIB}m", str(place)], stdout=subprocess.PIPE, text=True
    )
    assert keeper.stdout is not None
    if keeper.stdout.readline() != "mounted\n":
        pytest.skip("may not mount")
    yield keeper.pid, place
    keeper.kill()
    keeper.wait()
    keeper.stdout.close()


def fill(path: Path) -> None:
    """Write a file until its disk is full."""
    with suppress(OSError), path.open("wb", buffering=0) as file:
        while file.write(b"x" * 65536):
            pass


@pytest.mark.slow
def test_a_full_disk_stops_neither_alarms_nor_acknowledgements_and_is_recovered_from(
    broker: Broker, world: World, make_bundle: MakeBundle, disk: tuple[int, Path], tmp_path: Path
) -> None:
    keeper, place = disk
    inside = Path(f"/proc/{keeper}/root{place}")  # the same disk, as it is seen from here
    bundles = make_bundle(streams=tuple(f"north/pump-{i}" for i in range(50))).path.parents[1]
    plant = Plant(tmp_path / "full", broker, "full", bundles, {"main": monitor("full")})
    config = plant.config.read_text().replace("ballast_mb: 1", f"ballast_mb: {BALLAST_MIB}")
    plant.config.write_text(f"database: {place}/foresense.db\nincident: off\n{config}")
    world.listen(f"{plant.prefix}/+/+/alarm")
    world.listen(plant.availability)
    plant.start(["nsenter", "-t", str(keeper), "-U", "-m", "--preserve-credentials"])
    try:
        world.wait_for(plant.availability, b"online")
        wait_until((inside / "foresense.db.ballast").exists, "the ballast is there")
        filler = inside / "filler"
        fill(filler)

        for pump in range(50):
            world.publish(recording(f"full/north/pump-{pump}/value"))
        for pump in range(50):
            world.hear(f"{plant.prefix}/north/pump-{pump}/alarm", 2)
        assert "the disk is full: verdicts are not stored until there is room" in plant.log.read_text()
        assert not (inside / "foresense.db.ballast").exists()
        pid = plant.pid

        filler.unlink()
        wait_until((inside / "foresense.db.ballast").exists, "the ballast is there again")
        wait_until(lambda: "there is room on the disk again" in plant.log.read_text(), "it says so")
        world.publish(recording("full/north/late/value"))
        world.hear(f"{plant.prefix}/north/late/alarm", 2, 40)
        assert plant.pid == pid
    finally:
        code = plant.end()
    assert code == 0
    said = plant.log.read_text().rpartition("stopped; ")[2]
    assert said.startswith("messages: 1530 received, 1530 committed, 0 retained, 0 rejected, 0 in flight")
    shutil.copy(inside / "foresense.db", tmp_path / "copy.db")
    plant.database = tmp_path / "copy.db"
    assert plant.query("SELECT count(*) FROM verdict JOIN stream ON stream.id = stream WHERE name = 'north/late'") == [
        (30,)
    ]
    assert plant.query('SELECT count(*), count("end") FROM alarm') == [(51, 51)]
