"""The link between the service and its broker fails, while both are well."""

import random
from functools import partial
from threading import Thread

import pytest

from tests.faults.conftest import AFTER, BEFORE, NOTICED_S, PAUSE, SLOTS, MakeReference, Outcome, Site
from tests.faults.proxy import Proxy
from tests.system.conftest import wait_until

CUTS = 200


def test_a_link_that_passes_one_byte_at_a_time_costs_nothing(site: Site, proxy: Proxy, reference: Outcome) -> None:
    chance = random.Random(1)  # noqa: S311
    proxy.piece = lambda: 1
    site.start()
    site.publish(range(20))
    proxy.piece = lambda: chance.randint(1, 50)
    site.publish(range(20, SLOTS))
    site.assert_undisturbed(reference)


def test_a_link_that_falls_silent_is_noticed_within_two_keepalives_and_costs_nothing(
    site: Site, proxy: Proxy, reference: Outcome
) -> None:
    site.start()
    site.publish(BEFORE)
    site.wait_for_slots(PAUSE.start)
    proxy.freeze()
    site.publish(AFTER)
    wait_until(lambda: "disconnected" in site.plant.log.read_text(), "it is noticed", NOTICED_S)
    proxy.thaw()
    site.assert_undisturbed(reference, patience_s=45)


@pytest.mark.slow
def test_a_link_that_is_cut_two_hundred_times_costs_nothing(
    site: Site, proxy: Proxy, make_reference: MakeReference
) -> None:
    slots = 300  # the devices' time must not go more slowly than ours
    reference = make_reference(slots)
    chance = random.Random(2)  # noqa: S311
    site.start()
    devices = Thread(target=site.publish, args=(range(slots),), kwargs={"pause_s": 0.035})
    devices.start()
    while proxy.cuts < CUTS:
        wait_until(lambda: proxy.links == 2, "consumer and relay are connected")
        heard = proxy.bytes + chance.randrange(1000)
        wait_until(partial(lambda most: proxy.bytes > most, heard), "something is said")
        proxy.cut()
    devices.join()
    site.assert_undisturbed(reference, patience_s=60)
