"""The orders about one bundle: which messages are to be trusted, and the order that waits to be carried out."""

import logging
from pathlib import Path
from typing import NamedTuple

from edge.errors import DataError, ForesenseError
from edge.updates.document import time_text
from edge.updates.keys import Keyring
from edge.updates.ledger import Ledger, State
from edge.updates.order import Order, check_order, message_id

log = logging.getLogger(__name__)


class Refusal(NamedTuple):
    """Why a message was not taken for an order."""

    message: str = ""  #: see order.message_id
    reason: str = ""


class Orders:
    """Takes messages one by one; one that is refused changes nothing but `refusal`."""

    def __init__(self, device: str, bundle: str, keyring: Path) -> None:
        self.refusal = Refusal()  #: the last, until an order is taken
        self._device = device
        self._bundle = bundle
        self._keyring = keyring
        self._waiting: Order | None = None

    def take(self, message: bytes, ledger: Ledger) -> bool:
        """Take a message, and return whether it may be trusted; an order that came before changes nothing."""
        last = self._waiting.number if self._waiting else ledger.number
        try:
            order = self._checked(message)
            if order.id in (ledger.order, self._waiting.id if self._waiting else ""):
                return True
            if order.number <= last:
                wanted = f"expected one given after the last that was taken here ({time_text(last / 1000)})"
                raise DataError(f"order: {wanted}, got one given at {time_text(order.number / 1000)}")
        except ForesenseError as error:
            log.warning("%s: an order is refused: %s", self._bundle, error)
            self.refusal = Refusal(message_id(message), str(error))
            return False
        self._waiting, self.refusal = order, Refusal()
        return True

    def next(self, state: State) -> Order | None:
        """Return the order to be carried out now, None if there is none; a bundle on trial may only be rolled back."""
        order = self._waiting
        if order is None or (state is State.ACTIVE and order.action != "rollback"):
            return None
        self._waiting = None
        return order

    def _checked(self, message: bytes) -> Order:
        """Return the order of a message; ForesenseError unless it is signed, and for this device and bundle."""
        order = check_order(message, Keyring.read(self._keyring))
        if (order.device, order.bundle) != (self._device, self._bundle):
            wanted = f"expected one about {self._bundle} on {self._device}"
            raise DataError(f"order: {wanted}, got one about {order.bundle} on {order.device}")
        return order
