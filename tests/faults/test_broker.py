"""The broker goes away, in every way that it can."""

import os
import signal
import time
from threading import Thread

import pytest

from tests.faults.conftest import AFTER, BEFORE, FIRST, NOTICED_S, PAUSE, Outcome, Site
from tests.system.conftest import wait_until

pytestmark = pytest.mark.slow

_SAVED_S = 3.0  # mosquitto acknowledges before it saves: what it is killed with in between nobody can get back


def test_a_broker_that_ends_with_much_to_deliver_and_comes_back_costs_nothing(site: Site, reference: Outcome) -> None:
    site.start()
    site.publish(BEFORE)
    site.broker.stop()
    site.broker.start()
    site.publish(AFTER)
    site.assert_undisturbed(reference)


def test_a_broker_that_is_killed_with_much_to_deliver_costs_nothing(site: Site, reference: Outcome) -> None:
    site.start()
    os.kill(site.plant.pid, signal.SIGSTOP)
    site.publish(BEFORE)
    time.sleep(_SAVED_S)
    site.broker.stop(signal.SIGKILL)
    os.kill(site.plant.pid, signal.SIGCONT)
    site.broker.start()
    site.publish(AFTER)
    site.assert_undisturbed(reference)


def test_a_broker_that_restarts_while_devices_publish_costs_nothing(site: Site, reference: Outcome) -> None:
    site.start()
    devices = Thread(target=site.publish, kwargs={"pause_s": 0.036})
    devices.start()
    for _ in range(2):
        devices.join(0.5)
        site.broker.stop()
        site.broker.start()
    devices.join()
    site.assert_undisturbed(reference)


def test_a_broker_that_is_away_for_many_slots_leaves_no_gap(site: Site, reference: Outcome) -> None:
    site.start()
    site.publish(BEFORE)
    site.wait_for_slots(PAUSE.start)
    site.broker.stop()
    time.sleep(6.5)  # a stream would be silent after five of its slots
    site.broker.start()
    site.publish(AFTER)
    site.assert_undisturbed(reference)


def test_a_service_that_starts_before_its_broker_waits_for_it(site: Site, reference: Outcome) -> None:
    site.start()
    site.publish(BEFORE)
    site.wait_for_slots(PAUSE.start)
    assert site.plant.end() == 0
    site.publish(AFTER[:5])
    site.broker.stop()
    site.plant.start()
    time.sleep(6.5)
    site.broker.start()
    site.publish(AFTER[5:])
    site.assert_undisturbed(reference)


def test_a_frozen_broker_is_noticed_within_two_keepalives_and_costs_nothing(site: Site, reference: Outcome) -> None:
    site.start()
    site.publish(BEFORE)
    site.wait_for_slots(PAUSE.start)
    site.broker.send(signal.SIGSTOP)
    try:
        wait_until(lambda: "disconnected" in site.plant.log.read_text(), "it is noticed", NOTICED_S)
    finally:
        site.broker.send(signal.SIGCONT)
    site.publish(AFTER)
    site.assert_undisturbed(reference, patience_s=45)


def test_a_broker_that_has_lost_the_session_is_told_of_and_subscribed_to_anew(site: Site, reference: Outcome) -> None:
    site.start()
    site.publish(BEFORE)
    site.wait_for_slots(PAUSE.start)
    wait_until(lambda: site.plant.count("outbox") == 0, "all alarms are delivered")
    assert site.alarms_heard() == {row[0] for row in reference.alarms if row[4] < FIRST + 1000 * len(BEFORE)}
    site.broker.stop()
    site.broker.forget()
    heard = len(site.world.heard)
    site.broker.start()
    wait_until(lambda: (site.plant.availability, b"online") in site.world.heard[heard:], "subscribed again")
    assert "forgotten our session" in site.plant.log.read_text()
    site.publish(AFTER)
    site.assert_undisturbed(reference)
