"""The orders about one bundle: signed, each newer than the last that a device has taken, and left with it."""

import time

from edge.errors import ConfigError
from edge.updates.document import time_text
from edge.updates.order import Action, Order, message_id, order_message
from edge.updates.report import BundleReport
from service.fleet.line import Line
from service.fleet.private_key import PrivateKey

_AHEAD_MS = 86_400_000  # that the clock of whoever gave the last order may have been ahead of ours


class Orders:
    """Gives devices orders, and finds in their reports whether they have been refused."""

    def __init__(self, line: Line, key: PrivateKey, bundle: str) -> None:
        self._line = line
        self._key = key
        self._bundle = bundle
        self._numbers: dict[str, int] = {}  # of the last order to each device
        self._messages: dict[str, str] = {}  # which it was; see order.message_id

    def give(self, device: str, action: Action, order_id: str, version: str, deployment: str = "") -> None:
        """Leave a device an order; ConfigError if our clock is wrong, or was that of the order before."""
        order = Order(
            action=action,
            id=order_id,
            device=device,
            bundle=self._bundle,
            version=version,
            deployment=deployment,
            number=self._number(device),
        )
        message = order_message(order, self._key.public.id, self._key.sign)
        self._numbers[device], self._messages[device] = order.number, message_id(message)
        self._line.order(device, self._bundle, message)

    def clear(self, device: str) -> None:
        """Leave a device no order any more."""
        self._line.order(device, self._bundle, b"")

    def refusal(self, device: str, bundle: BundleReport | None) -> str:
        """Return why a device, which reports so of the bundle, has refused its last order, '' if it has not."""
        is_refused = bundle is not None and bundle.refused_message == self._messages.get(device)
        return f"order refused: {bundle.refused}" if bundle is not None and is_refused else ""

    def _number(self, device: str) -> int:
        """Return the time, or more if the device says that it has taken an order of a higher number."""
        now_ms = time.time_ns() // 1_000_000
        report = self._line.reports().get(device)
        bundle = report.bundles.get(self._bundle) if report else None
        last = max(self._numbers.get(device, 0), bundle.number if bundle else 0)
        if last > now_ms + _AHEAD_MS:
            raise ConfigError(
                f"{device}: expected its last order about {self._bundle} to be of the past, got one of "
                f"{time_text(last / 1000)}; set the clock of this computer, or, if it is right, take 'number' out of "
                f"{self._bundle}/updates.json in the device's folder of bundles while it is stopped"
            )
        return max(now_ms, last + 1)
