"""What the monitors take of the messages that come."""

from tests.conftest import MakeBundle
from tests.edge.agent.conftest import MakeDevice
from tests.edge.agent.test_agent import line, monitor
from tests.system.conftest import Broker, World


def test_what_cannot_be_read_is_counted_and_the_rest_goes_on(
    broker: Broker, world: World, make_device: MakeDevice, make_bundle: MakeBundle
) -> None:
    name = "odd"
    device = make_device(broker, name, make_bundle(streams=("a",)).path.parents[1], {"main": monitor(name)})
    world.listen(f"{device.prefix}/#")
    device.start()
    world.wait_for(device.availability, b"online")
    odd = ["{", '{"ts": 1, "value": 1}', '{"ts": 1700000000000, "value": NaN}', '{"ts": 1700000000000}', "\xff", "[]"]

    world.publish([(f"{name}/a/value", each) for each in odd])
    world.publish([(f"{name}/a/flow", line(0))])
    world.publish((f"{name}/a/value", line(slot)) for slot in range(10))

    assert len(world.hear(f"{device.prefix}/a/verdict", 10)) == 10
    assert device.end() == 0
    log = device.log.read_text()
    assert "expected one of value of bundle pump/1, got 'flow'" in log
    assert "10 readings, 1 rejected (channel)" in log
