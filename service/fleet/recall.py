"""A recall: has devices go back to the version of a bundle before the one in charge, and follows how they do."""

import secrets
import time
from collections.abc import Iterable

from edge.errors import ConfigError
from edge.updates.ledger import State
from edge.updates.report import BundleReport
from service.fleet.line import Line
from service.fleet.orders import Orders

_TURN_S = 0.1


class Recall:
    """Gives each device one order, and waits for its answer."""

    def __init__(self, line: Line, orders: Orders, bundle: str) -> None:
        self.said: dict[str, str] = {}  #: what has become of it, by device
        self._line = line
        self._orders = orders
        self._bundle = bundle
        self._waiting: dict[str, str] = {}  # ids of orders, by device

    def run(self, devices: Iterable[str], deadline_s: float) -> None:
        """Go on until all have answered, or until a time (monotonic)."""
        for device in devices:
            self._give_order(device)
        while self._waiting and time.monotonic() < deadline_s:
            time.sleep(_TURN_S)
            for device in list(self._waiting):
                self._follow(device, self._report(device))
        self.said |= dict.fromkeys(self._waiting, "has not answered; it finds the order when it is back")

    @property
    def is_done(self) -> bool:
        """Whether all have gone back."""
        return all(words.startswith(State.ROLLED_BACK) for words in self.said.values())

    def _give_order(self, device: str) -> None:
        in_charge, order_id = self._report(device).in_charge, secrets.token_hex(8)
        if not in_charge:
            self.said[device] = "expected a version in charge, got none"
            return
        try:
            self._orders.give(device, "rollback", order_id, in_charge)
        except ConfigError as error:
            self.said[device] = str(error)
        else:
            self._waiting[device] = order_id

    def _follow(self, device: str, bundle: BundleReport) -> None:
        if words := self._orders.refusal(device, bundle):
            self.said[device] = words
        elif bundle.order == self._waiting[device]:
            self.said[device] = f"{bundle.state}: version {bundle.in_charge} is in charge"
            self.said[device] += f"; {bundle.reason}" if bundle.state == State.FAILED else ""
        else:
            return
        self._orders.clear(device)
        del self._waiting[device]

    def _report(self, device: str) -> BundleReport:
        report = self._line.reports().get(device)
        return report.bundles.get(self._bundle, BundleReport()) if report else BundleReport()
