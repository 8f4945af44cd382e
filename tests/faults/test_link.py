"""The link between the service and its broker fails, while both are well."""

import os
import random
import subprocess
import time
from collections.abc import Callable, Iterator
from functools import partial
from threading import Thread

import pytest

from tests.faults.conftest import AFTER, BEFORE, LONG, NOTICED_S, PAUSE, SLOTS, MakeReference, Outcome, Site
from tests.faults.namespace import Namespace
from tests.faults.proxy import Proxy
from tests.system.conftest import wait_until

pytestmark = pytest.mark.slow

AS_ROOT = pytest.mark.skipif(os.geteuid() != 0, reason="needs root, for a network of its own")
OUTSIDE, INSIDE = "10.213.7.1", "10.213.7.2"
CUTS = 200 if LONG else 20
_FAST, _CALM_S = 4, 3.5  # connections that end fast one after the other are taken for a fight over the client's name
_LONGEST_WAIT_S = 60.0  # what a client waits then is 45 s at most


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


@pytest.mark.alone
@pytest.mark.timeout(240 + 3 * CUTS)
def test_a_link_that_is_cut_again_and_again_costs_nothing(
    site: Site, proxy: Proxy, make_reference: MakeReference
) -> None:
    slots = 60 + 4 * CUTS  # the devices' time must not go more slowly than ours
    reference = make_reference(slots)
    chance = random.Random(2)  # noqa: S311
    site.start()
    devices = Thread(target=site.publish, args=(range(slots),), kwargs={"pause_s": 0.42})
    devices.start()
    for cut in range(CUTS // 2):  # of both connections
        wait_until(lambda: proxy.links == 2, "consumer and relay are connected", _LONGEST_WAIT_S)
        if cut % (_FAST + 1) == _FAST:
            time.sleep(_CALM_S)
        heard = proxy.bytes + chance.randrange(1000)
        wait_until(partial(lambda most: proxy.bytes > most, heard), "something is said")
        proxy.cut()
    site.hurry.set()
    devices.join()
    site.assert_undisturbed(reference, patience_s=60)
    assert proxy.cuts >= CUTS


@pytest.fixture
def cable(site: Site) -> Iterator[Callable[[str], None]]:
    """Put the service into a network of its own, and return what sets the cable that leads out of it `up` or `down`."""
    inside = Namespace("--net", "ip link set lo up").start()
    outlet = f"faults{os.getpid()}"

    def turn(state: str) -> None:
        subprocess.run(["ip", "link", "set", outlet, state], check=True)

    subprocess.run(
        ["ip", "link", "add", outlet, "type", "veth", "peer", "name", "plant", "netns", str(inside.pid)], check=True
    )
    subprocess.run(["ip", "address", "add", f"{OUTSIDE}/30", "dev", outlet], check=True)
    turn("up")
    inside.run(f"ip address add {INSIDE}/30 dev plant; ip link set plant up")
    out = Proxy(site.broker.port, OUTSIDE).start()
    site.plant.configure(broker={"host": OUTSIDE, "port": out.port})
    site.within = inside.entry
    yield turn
    site.plant.kill()
    out.stop()
    inside.stop()  # and with it the cable


@AS_ROOT
def test_a_cable_that_is_pulled_out_is_noticed_within_two_keepalives_and_costs_nothing(
    site: Site, cable: Callable[[str], None], reference: Outcome
) -> None:
    site.start()
    site.publish(BEFORE)
    site.wait_for_slots(PAUSE.start)
    cable("down")  # neither side is told
    site.publish(AFTER)
    wait_until(lambda: "disconnected" in site.plant.log.read_text(), "it is noticed", NOTICED_S)
    cable("up")
    site.assert_undisturbed(reference, patience_s=60)
