"""A deployment: gives devices their orders, serves what they ask for, and follows how they do."""

import math
import time
from collections.abc import Callable, Mapping

from edge.updates.ledger import State
from edge.updates.order import Order
from edge.updates.part import REPORT_S
from edge.updates.report import BundleReport, DeviceReport
from service.fleet.line import Line
from service.fleet.rollout import Rollout, Standing
from service.fleet.shelf import Shelf

_TURN_S = 0.2
_REMIND_S = 60.0
_SILENT_MS = 3 * REPORT_S * 1000
_UNDER_WAY = {str(state) for state in State if state.is_under_way}


class Deployment:
    """Rolls one bundle out; broken off at any time and begun again, it goes on from where the devices are."""

    def __init__(self, line: Line, shelf: Shelf, rollout: Rollout, order_id: str, again: bool) -> None:
        self.on_news: Callable[[str, str], None] = _nothing  #: a device, and what it says
        self._line = line
        self._shelf = shelf
        self._rollout = rollout
        self._order = Order("deploy", order_id, shelf.document.version, shelf.deployment)
        self._again = again
        self._withdrawn: set[str] = set()
        self._remind_s: dict[str, float] = {}  # by device, monotonic

    def run(self, deadline_s: float) -> None:
        """Go on until nothing more is to come, or until a time (monotonic)."""
        while time.monotonic() < deadline_s:
            reports = self._line.reports()
            for device in self._rollout.standing.keys() - self._withdrawn:
                self._follow(device, reports)
            if self._rollout.is_stopped:
                self._withdraw(reports)
            for device in self._rollout.due():
                self._give_order(device)
                heard_ms = reports[device].time if device in reports else 0
                self._rollout.ordered(device, time.time() * 1000 - heard_ms > _SILENT_MS)
            if self._rollout.is_over:
                return
            self._serve()

    def _give_order(self, device: str) -> None:
        """Leave a device its order; after a while it is left again, should the device have lost it."""
        self._line.order(device, self._shelf.document.name, self._order)
        self._remind_s[device] = time.monotonic() + _REMIND_S

    def _serve(self) -> None:
        """Answer what devices ask for meanwhile."""
        until_s = time.monotonic() + _TURN_S
        while (left_s := until_s - time.monotonic()) > 0:
            asked = self._line.asked(left_s)
            if asked is None:
                return
            if asked.device in self._rollout.standing and (chunk := self._shelf.answer(asked.request)) is not None:
                self._line.answer(asked.device, chunk)

    def _follow(self, device: str, reports: Mapping[str, DeviceReport]) -> None:
        report = reports.get(device)
        bundle = report.bundles.get(self._shelf.document.name) if report else None
        if bundle is None or not self._is_about_this(device, bundle):
            if time.monotonic() > self._remind_s.get(device, math.inf):
                self._give_order(device)
            return
        before = self._rollout.standing[device], self._rollout.said.get(device)
        self._rollout.note(device, bundle.state, bundle.reason)
        standing = self._rollout.standing[device]
        if standing in (Standing.DONE, Standing.FAILED) and before[0] is not standing:
            self._line.order(device, self._shelf.document.name, None)  # it has done with it
        if self._rollout.said[device] != before[1]:
            self.on_news(device, self._rollout.said[device])

    def _is_about_this(self, device: str, bundle: BundleReport) -> bool:
        """Whether a device speaks of this deployment, and not of an attempt that is to be made again."""
        if bundle.order == self._order.id:
            return True
        if bundle.deployment != self._shelf.deployment:
            return False
        is_done = bundle.state == State.COMMITTED and bundle.in_charge == self._order.version
        return (
            is_done
            or (self._rollout.standing[device] is Standing.WAITING and not self._again)
            or (bundle.state in _UNDER_WAY)
        )

    def _withdraw(self, reports: Mapping[str, DeviceReport]) -> None:
        """Take orders back from devices whose bundle is not yet on trial."""
        name, back = self._shelf.document.name, set()
        for device in self._rollout.of(Standing.ORDERED):
            bundle = reports[device].bundles.get(name) if device in reports else None
            on_trial = (
                bundle is not None and bundle.deployment == self._shelf.deployment and bundle.state == State.ACTIVE
            )
            if not on_trial:
                self._line.order(device, name, None)
                back.add(device)
        self._withdrawn |= back
        self._rollout.withdraw(back)


def _nothing(_device: str, _said: str) -> None:
    pass
