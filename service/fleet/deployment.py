"""A deployment: gives devices their orders, serves what they ask for, and follows how they do."""

import math
import secrets
import time
from collections.abc import Callable, Mapping

from edge.errors import ConfigError
from edge.updates.ledger import State
from edge.updates.order import Action
from edge.updates.part import REPORT_S
from edge.updates.report import BundleReport, DeviceReport
from service.fleet.line import Line
from service.fleet.orders import Orders
from service.fleet.rollout import Rollout, Standing
from service.fleet.shelf import Shelf

_TURN_S = 0.2
_REMIND_S = 60.0
_SILENT_MS = 3 * REPORT_S * 1000
_UNDER_WAY = {str(state) for state in State if state.is_under_way}


class Deployment:
    """Rolls one bundle out; broken off at any time and begun again, it goes on from where the devices are."""

    def __init__(self, line: Line, orders: Orders, shelf: Shelf, rollout: Rollout, order_id: str, again: bool) -> None:
        self.on_news: Callable[[str, str], None] = _nothing  #: a device, and what it says
        self._line = line
        self._shelf = shelf
        self._rollout = rollout
        self._orders = orders
        self._order_id = order_id
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
                heard_ms = reports[device].time if device in reports else 0
                self._rollout.ordered(device, time.time() * 1000 - heard_ms > _SILENT_MS)
                self._give_order(device)
            if self._rollout.is_over:
                return
            self._serve()

    def _give_order(self, device: str) -> None:
        """Leave a device its order; after a while it is left again, should the device have lost it."""
        self._remind_s[device] = time.monotonic() + _REMIND_S
        self._give(device, "deploy", self._order_id)

    def _give(self, device: str, action: Action, order_id: str) -> None:
        try:
            self._orders.give(device, action, order_id, self._shelf.document.version, self._shelf.deployment)
        except ConfigError as error:
            self._note(device, State.FAILED, str(error))

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
        if refusal := self._orders.refusal(device, bundle):
            self._note(device, State.FAILED, refusal)
        elif bundle is not None and self._is_about_this(device, bundle):
            self._note(device, bundle.state, bundle.reason)
        elif time.monotonic() > self._remind_s.get(device, math.inf):
            self._give_order(device)

    def _note(self, device: str, state: str, reason: str) -> None:
        """Note the state that a device has come to, and say so if it is news."""
        before = self._rollout.standing[device], self._rollout.said.get(device)
        self._rollout.note(device, state, reason)
        standing = self._rollout.standing[device]
        if standing in (Standing.DONE, Standing.FAILED) and before[0] is not standing:
            self._orders.clear(device)  # it has done with it
        if self._rollout.said[device] != before[1]:
            self.on_news(device, self._rollout.said[device])

    def _is_about_this(self, device: str, bundle: BundleReport) -> bool:
        """Whether a device speaks of this deployment, and not of an attempt that is to be made again."""
        if bundle.order == self._order_id:
            return True
        if bundle.deployment != self._shelf.deployment:
            return False
        is_done = bundle.state == State.COMMITTED and bundle.in_charge == self._shelf.document.version
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
                self._give(device, "withdraw", secrets.token_hex(8))
                back.add(device)
        self._withdrawn |= back
        self._rollout.withdraw(back)


def _nothing(_device: str, _said: str) -> None:
    pass
