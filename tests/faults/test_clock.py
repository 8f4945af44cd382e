"""The service's own clock is wrong, or leaps, while the devices' are right."""

import os
import time
from pathlib import Path

import pytest

from tests.faults.conftest import AFTER, BEFORE, FIRST, INTERVAL_MS, PAUSE, SLOTS, Outcome, Site
from tests.system.conftest import wait_until

pytestmark = pytest.mark.slow

CUSTOM = Path(__file__).with_name("wrong_clock")
END_S = FIRST / 1000 + SLOTS * INTERVAL_MS / 1000  #: when the recording ends
HOUR_S = 3600


class Clock:
    """The clock that the service reads instead of the host's; what is monotonic goes on as ever."""

    def __init__(self, file: Path, site: Site) -> None:
        self._file = file
        site.plant.environment = {
            "PYTHONPATH": os.pathsep.join([str(CUSTOM), *filter(None, [os.environ.get("PYTHONPATH")])]),
            "FORESENSE_TEST_CLOCK": str(file),
        }

    def set(self, to_s: float) -> None:
        """Have it show a time (UTC epoch) now, and go on from there."""
        new = self._file.with_suffix(".new")
        new.write_text(f"{to_s - time.time():+.3f}")
        new.rename(self._file)  # at once


@pytest.fixture
def clock(site: Site, tmp_path: Path) -> Clock:
    """Return the clock of the site's service, set to just after the recording."""
    made = Clock(tmp_path / "clock", site)
    made.set(END_S)
    return made


@pytest.mark.parametrize("to_s", [END_S + HOUR_S, END_S - HOUR_S, 0], ids=["an hour on", "an hour back", "1970"])
def test_a_clock_that_leaps_costs_nothing(to_s: float, site: Site, clock: Clock, reference: Outcome) -> None:
    site.start()
    site.publish(BEFORE)
    site.wait_for_slots(PAUSE.start)
    clock.set(to_s)
    site.publish(AFTER)
    site.assert_undisturbed(reference)


def test_a_clock_that_is_an_hour_behind_at_the_start_costs_nothing(
    site: Site, clock: Clock, reference: Outcome
) -> None:
    site.start()
    site.publish(BEFORE)
    site.wait_for_slots(PAUSE.start)
    assert site.plant.end() == 0
    clock.set(END_S - HOUR_S)
    site.start()
    site.publish(AFTER)
    site.assert_undisturbed(reference)


def test_a_clock_that_is_not_set_at_the_first_start_costs_nothing(site: Site, clock: Clock, reference: Outcome) -> None:
    site.start()  # the broker knows the session
    assert site.plant.end() == 0
    clock.set(0)
    site.plant.start()
    site.publish(BEFORE)
    wait_until(lambda: "the clock" in site.plant.log.read_text(), "it is told")
    clock.set(END_S)
    site.publish(AFTER)
    site.assert_undisturbed(reference)
