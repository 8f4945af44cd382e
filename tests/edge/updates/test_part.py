"""A device, a broker and an operator, all real: updates from the order to the end."""

from tests.edge.updates.conftest import MakeDevice
from tests.edge.updates.fleet import Operator
from tests.system.conftest import World


def test_a_deployed_bundle_is_fetched_tried_and_kept(operator: Operator, world: World, make_device: MakeDevice) -> None:
    device = make_device()
    operator.make("2")
    device.wait_for(world, "NONE", "")
    done = operator.deploy("2", "pi-1")
    assert done.returncode == 0, done.stdout + done.stderr
    states = [each["state"] for each in device.reports(world)]
    order = ["DOWNLOADING", "DOWNLOADED", "VERIFIED", "ACTIVE", "COMMITTED"]
    assert [state for state in states if state in order] == order
    assert device.in_charge() == "2"
    assert device.end() == 0
