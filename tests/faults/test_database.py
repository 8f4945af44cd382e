"""The service's own database is held by somebody else, or its upgrade is interrupted."""

import signal
import sqlite3
import time
from contextlib import closing

import pytest

from tests.faults.conftest import AFTER, BEFORE, PAUSE, Outcome, Site
from tests.system.conftest import wait_until

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("locked_s", [8, pytest.param(30, marks=[pytest.mark.alone])])
def test_a_database_that_is_locked_for_long_costs_nothing(locked_s: float, site: Site, reference: Outcome) -> None:
    site.start()
    site.publish(BEFORE)
    site.wait_for_slots(PAUSE.start)
    with closing(sqlite3.connect(site.plant.database, isolation_level=None)) as db:
        db.execute("BEGIN IMMEDIATE")
        site.publish(AFTER)
        wait_until(lambda: "database is locked" in site.plant.log.read_text(), "it is noticed")
        time.sleep(locked_s)
    count = site.assert_undisturbed(reference, patience_s=60)
    assert count["retries"] > 0


@pytest.mark.parametrize("step", [1, 3])
def test_a_schema_that_is_killed_while_it_is_made_is_made_by_the_next(
    step: int, site: Site, reference: Outcome
) -> None:
    site.plant.environment = {"FORESENSE_FAILPOINT": f"migration:{step}"}
    assert site.plant.start().wait() == -signal.SIGKILL
    site.plant.environment = {}
    site.start()
    site.publish()
    site.assert_undisturbed(reference)
