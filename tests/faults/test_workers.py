"""A worker of the service itself fails: a callback raises, a thread hangs."""

import pytest

from edge.operation.supervisor import EXIT_HUNG
from tests.faults.conftest import AFTER, BEFORE, PAUSE, Outcome, Site

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("callback", ["connected", "subscribed", "received:50", "published:3", "disconnected"])
def test_an_exception_in_a_callback_costs_nothing(callback: str, site: Site, reference: Outcome) -> None:
    site.plant.environment = {"FORESENSE_FAILPOINT": f"callback-{callback}=raise"}
    site.start()
    site.publish(BEFORE)
    site.wait_for_slots(PAUSE.start)
    site.broker.stop()
    site.broker.start()
    site.publish(AFTER)
    site.assert_undisturbed(reference)
    assert "a callback of the MQTT client has failed" in site.plant.log.read_text()


@pytest.mark.parametrize("place", ["before-commit:4", "before-publish", "before-verdicts"])
def test_a_worker_that_hangs_is_noticed_the_process_ends_and_the_next_goes_on(
    place: str, site: Site, reference: Outcome
) -> None:
    site.plant.environment = {"FORESENSE_FAILPOINT": f"{place}=hang", "WATCHDOG_USEC": "6000000"}
    site.start()
    site.publish()
    assert site.plant.wait(40) == EXIT_HUNG
    assert "no sign of life" in site.plant.log.read_text()
    site.plant.environment = {}
    site.start()  # as systemd does
    site.assert_undisturbed(reference)
