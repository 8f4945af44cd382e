"""Targets: devices by name, group and percentage."""

from itertools import pairwise

import pytest

from edge.errors import ConfigError
from edge.updates.report import BundleReport, DeviceReport
from service.fleet.targets import choose, place


def report(name: str, *groups: str, bundle: str = "pump") -> DeviceReport:
    return DeviceReport(name, groups, "0.1.0", 0, {bundle: BundleReport()})


FLEET = {name: report(name, "hall-3") for name in (f"pi-{number}" for number in range(1000))}
FLEET |= {"lab-1": report("lab-1", "lab"), "fan-1": report("fan-1", "lab", bundle="fan")}


def test_a_device_is_chosen_by_its_name_and_a_group_by_its_own() -> None:
    assert choose("pi-7", "pump", FLEET) == ["pi-7"]
    assert choose("lab", "pump", FLEET) == ["lab-1"]
    assert choose("lab", "fan", FLEET) == ["fan-1"]
    assert len(choose("hall-3", "pump", FLEET)) == 1000
    assert len(choose("all", "pump", FLEET)) == len(choose("100%", "pump", FLEET)) == 1001


def test_a_smaller_percentage_is_part_of_every_greater_one() -> None:
    chosen = [set(choose(f"{percent}%", "pump", FLEET)) for percent in (1, 10, 25.5, 50, 99)]
    assert all(less < more for less, more in pairwise(chosen))
    for percent, devices in zip((1, 10, 25.5, 50, 99), chosen, strict=True):
        assert len(devices) == pytest.approx(10 * percent, abs=50)


def test_who_is_chosen_does_not_depend_on_the_others() -> None:
    fewer = {name: each for name, each in FLEET.items() if place(name) > 0.05 or name == "pi-7"}
    assert set(choose("25%", "pump", fewer)) == set(choose("25%", "pump", FLEET)) & fewer.keys()


@pytest.mark.parametrize(
    ("target", "bundle", "problem"),
    [
        ("pi-7x", "pump", "got 'pi-7x'; did you mean 'pi-"),
        ("cellar", "pump", "got 'cellar', which is none of 1001 devices and 2 groups"),
        ("pi-7", "fan", "got 'pi-7'"),
        ("all", "valve", "got 'all' and no such device"),
        ("0%", "pump", "got '0%'"),
    ],
)
def test_a_target_that_means_nobody_is_told(target: str, bundle: str, problem: str) -> None:
    with pytest.raises(ConfigError, match=problem):
        choose(target, bundle, FLEET)
