"""The service is killed and started again, and nobody can tell from what it wrote."""

import random
import signal
from threading import Thread

import pytest

from tests.faults.conftest import LONG, MakeReference, Outcome, Site

pytestmark = pytest.mark.slow

KILLS = 500 if LONG else 20  #: of the long run
_RESTART_S = 3.0  # within which the service is killed again; about half of it is the start


@pytest.mark.parametrize("seed", range(10))
def test_killed_twice_at_any_moment_it_writes_what_it_would_have_written(
    seed: int, site: Site, reference: Outcome
) -> None:
    chance = random.Random(seed)  # noqa: S311
    site.start()
    devices = Thread(target=site.publish, kwargs={"pause_s": 0.012})
    devices.start()
    for most_s in (0.5, _RESTART_S):
        devices.join(chance.uniform(0, most_s))
        site.plant.kill()
        site.plant.start()
    site.hurry.set()
    devices.join()
    site.assert_undisturbed(reference)


@pytest.mark.alone
@pytest.mark.timeout(120 + 5 * KILLS)
def test_killed_again_and_again_in_a_long_run_it_writes_what_it_would_have_written(
    site: Site, make_reference: MakeReference
) -> None:
    slots = 60 + round(KILLS * _RESTART_S)  # the devices' time must not go more slowly than ours
    reference = make_reference(slots)
    chance = random.Random(500)  # noqa: S311
    site.start()
    devices = Thread(target=site.publish, args=(range(slots),), kwargs={"pause_s": 0.36})
    devices.start()
    for _ in range(KILLS):
        devices.join(chance.uniform(0, _RESTART_S))
        site.plant.kill()
        site.plant.start()
    site.hurry.set()
    devices.join()
    site.assert_undisturbed(reference, patience_s=60)


PLACES = ("before-commit", "after-commit", "after-acknowledge", "before-publish", "after-publish")


@pytest.mark.parametrize("place", PLACES)
def test_killed_at_a_named_place_it_writes_what_it_would_have_written(
    place: str, site: Site, reference: Outcome
) -> None:
    site.plant.environment = {"FORESENSE_FAILPOINT": place if "publish" in place else f"{place}:4"}
    site.start()
    devices = Thread(target=site.publish, kwargs={"pause_s": 0.012})
    devices.start()
    assert site.plant.wait() == -signal.SIGKILL
    site.plant.environment = {}
    site.start()
    devices.join()
    site.assert_undisturbed(reference)
