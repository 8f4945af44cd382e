"""The rollout: how many devices are given an order at a time, and when no more are.

It begins with one device. One more may be under way for each that has committed, up to `at_once`; so a bad bundle
meets one device, and a good one soon reaches all. With more than `tolerated` failures it stops: no device is given an
order any more.
"""

from collections.abc import Iterable, Sequence
from enum import StrEnum

from edge.updates.ledger import State


class Standing(StrEnum):
    """How a device stands to a deployment."""

    WAITING = "waiting"  #: has no order yet
    ORDERED = "ordered"
    DONE = "done"
    FAILED = "failed"


class Rollout:
    """Keeps count of a deployment's devices."""

    def __init__(self, devices: Sequence[str], at_once: int = 20, tolerated: int = 0) -> None:
        self.standing = dict.fromkeys(devices, Standing.WAITING)
        self.said: dict[str, str] = {}  #: the last of each device, in words
        self._at_once = at_once
        self._tolerated = tolerated
        self._silent: set[str] = set()

    @property
    def is_stopped(self) -> bool:
        """Whether too many have failed."""
        return len(self.of(Standing.FAILED)) > self._tolerated

    @property
    def is_over(self) -> bool:
        """Whether nothing more is to come."""
        return not self.of(Standing.ORDERED) and (self.is_stopped or not self.of(Standing.WAITING))

    def of(self, standing: Standing) -> list[str]:
        """Return the devices that stand so."""
        return [device for device, each in self.standing.items() if each is standing]

    def due(self) -> list[str]:
        """Return the devices that may be given an order now."""
        if self.is_stopped:
            return []
        under_way = sum(device not in self._silent for device in self.of(Standing.ORDERED))
        most = min(self._at_once, 1 + len(self.of(Standing.DONE)))
        return self.of(Standing.WAITING)[: max(0, most - under_way)]

    def ordered(self, device: str, is_silent: bool) -> None:
        """Note that a device has its order; one that has not been heard of lately is not waited for."""
        self.standing[device] = Standing.ORDERED
        if is_silent:
            self._silent.add(device)

    def note(self, device: str, state: str, reason: str) -> None:
        """Note the state that a device with an order has come to."""
        self.said[device] = f"{state}: {reason}" if reason else state
        if state == State.COMMITTED:
            self.standing[device] = Standing.DONE
        elif state in (State.FAILED, State.ROLLED_BACK):
            self.standing[device] = Standing.FAILED
        else:
            self.standing[device] = Standing.ORDERED

    def withdraw(self, devices: Iterable[str]) -> None:
        """Note that devices have no order any more."""
        for device in devices:
            self.standing[device] = Standing.WAITING
