import numpy as np
import pytest
from numpy.typing import NDArray

from service.simulate.pumps import CHANNELS, Load, Pumps

NOMINAL = np.array([40.0, 80.0])
FLOW, PRESSURE, POWER, VIBRATION, TEMPERATURE = range(len(CHANNELS))


def load(wanted: float = 1.0, leak: float = 0.0, wear: float = 0.0) -> Load:
    """Return a load whose faults are those of the first pump."""
    return Load(np.full(2, wanted), 20.0, np.array([leak, 0.0]), np.array([wear, 0.0]))


def values(now: Load, before: Load | None = None, seconds: float = 1e6) -> NDArray[np.float64]:
    return Pumps(NOMINAL, before or now).step(now, seconds)


def test_at_the_nominal_point_flow_and_pressure_are_nominal() -> None:
    got = values(load())
    assert got[:, FLOW] == pytest.approx(NOMINAL)
    assert got[:, PRESSURE] == pytest.approx(np.full(2, 40 * 0.0981))


def test_less_wanted_is_less_flow_pressure_and_power() -> None:
    assert (values(load(0.6))[:, :VIBRATION] < values(load())[:, :VIBRATION]).all()
    assert values(load(0.6))[:, FLOW] == pytest.approx(0.6 * NOMINAL)


def test_a_leak_is_more_flow_and_less_pressure_of_its_pump_only() -> None:
    sound, leaky = values(load(0.8)), values(load(0.8, leak=1.0))
    assert leaky[0, FLOW] > 1.05 * sound[0, FLOW]
    assert leaky[0, PRESSURE] < 0.95 * sound[0, PRESSURE]
    assert (leaky[1] == sound[1]).all()


def test_wear_is_vibration_power_and_heat_and_no_other_flow() -> None:
    sound, worn = values(load(0.8)), values(load(0.8, wear=1.0))
    assert (worn[0, POWER:] > sound[0, POWER:]).all()
    assert worn[0, VIBRATION] > sound[0, VIBRATION] + 3
    assert worn[0, :POWER] == pytest.approx(sound[0, :POWER])


def test_speed_follows_within_a_minute_and_temperature_within_an_hour() -> None:
    end = values(load(1.0))
    soon, later = values(load(1.0), load(0.6), 90), values(load(1.0), load(0.6), 3600)
    assert soon[:, FLOW] == pytest.approx(end[:, FLOW], rel=0.05)
    assert (end[:, TEMPERATURE] - soon[:, TEMPERATURE] > 5).all()
    assert later[:, TEMPERATURE] == pytest.approx(end[:, TEMPERATURE], abs=1)
