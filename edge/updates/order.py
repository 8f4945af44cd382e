"""Orders: what an operator wants of a device, signed with one of the keys that the device trusts.

An order is for one device and one bundle there, and its number is higher than that of any order before it. A device
takes none that is not newer than the last that it took. So one that somebody has kept is of no use to them, and the
device needs no clock.
"""

import hashlib
import json
import re
from dataclasses import asdict, dataclass
from typing import Literal, get_args

from edge.errors import DataError
from edge.updates.document import NAME, VERSION
from edge.updates.envelope import Envelope, Sign
from edge.updates.keys import Keyring
from edge.updates.topics import DEVICE

Action = Literal["deploy", "rollback", "withdraw"]
_ENVELOPE = Envelope("order", b"foresense order 1\n", 1024)
_MOST_NUMBER = 253_402_300_800_000  # the year 10000
_FORMS = {
    "id": re.compile(r"[0-9a-f]{16}"),
    "device": DEVICE,
    "bundle": NAME,
    "version": VERSION,
    "deployment": re.compile(r"[0-9a-f]{32}|"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """One order; a device carries out each id once."""

    action: Action
    id: str  #: 16 hexadecimal digits
    device: str  #: that it is for
    bundle: str  #: its name
    version: str  #: that shall be in charge; with a rollback, that shall not be so any more
    deployment: str = ""  #: beginning of the SHA-256 of its signature.json, 32 hexadecimal digits; '' with a rollback
    number: int  #: when it was given, UTC epoch ms, or more if the last order has a higher one

    def __post_init__(self) -> None:
        if self.action not in get_args(Action) or (self.deployment == "") != (self.action == "rollback"):
            raise ValueError(f"action {self.action!r} with deployment {self.deployment!r}")
        for what, form in _FORMS.items():
            if not form.fullmatch(getattr(self, what)):
                raise ValueError(f"{what} {getattr(self, what)!r}")
        if type(self.number) is not int or not 0 < self.number < _MOST_NUMBER:
            raise ValueError(f"number {self.number!r}")


def order_message(order: Order, key: str, sign: Sign) -> bytes:
    """Return an order as a message; `key` is the id of the key that signs."""
    return _ENVELOPE.seal(json.dumps(asdict(order), separators=(",", ":")).encode("ascii"), key, sign)


def check_order(message: bytes, keyring: Keyring) -> Order:
    """Return the order of a message; BundleError unless a trusted key has signed it, DataError if it is no order."""
    _, signed = _ENVELOPE.open(message, keyring)
    try:
        return Order(**json.loads(signed))
    except (ValueError, TypeError, RecursionError) as error:
        raise DataError(f"order: expected the fields of an order, got: {error}") from error


def message_id(message: bytes) -> str:
    """Return by what a message is known before anything in it is trusted: 16 digits of its SHA-256."""
    return hashlib.sha256(message).hexdigest()[:16]
