"""Orders: what an operator wants of a device, as short JSON.

An order is not signed: it can only have a device fetch what must then be signed, or go back to the bundle that was in
charge there before. Who may write orders is the broker's to decide.
"""

import json
import re
from dataclasses import asdict, dataclass
from typing import Literal, Self, get_args

from edge.errors import DataError
from edge.updates.document import VERSION

Action = Literal["deploy", "rollback"]
_MOST_BYTES = 1024
_FORMS = {"id": re.compile(r"[0-9a-f]{16}"), "version": VERSION, "deployment": re.compile(r"[0-9a-f]{32}|")}


@dataclass(frozen=True, slots=True)
class Order:
    """One order; a device carries out each id once."""

    action: Action
    id: str  #: 16 hexadecimal digits
    version: str  #: that shall be in charge; with a rollback, that shall not be so any more
    deployment: str = ""  #: beginning of the SHA-256 of its signature.json, 32 hexadecimal digits; '' with a rollback

    def __post_init__(self) -> None:
        if self.action not in get_args(Action) or (self.deployment == "") != (self.action == "rollback"):
            raise ValueError(f"action {self.action!r} with deployment {self.deployment!r}")
        for what, form in _FORMS.items():
            if not form.fullmatch(getattr(self, what)):
                raise ValueError(f"{what} {getattr(self, what)!r}")

    def to_bytes(self) -> bytes:
        """Return the order as a message."""
        return json.dumps(asdict(self)).encode()

    @classmethod
    def from_bytes(cls, data: bytes) -> Self:
        """Read a message; DataError if it is no order."""
        if len(data) > _MOST_BYTES:
            raise DataError(f"order: expected at most {_MOST_BYTES} bytes, got {len(data)}")
        try:
            return cls(**json.loads(data))
        except (ValueError, TypeError, RecursionError) as error:
            raise DataError(f"order: expected action, id, version and deployment, got: {error}") from error
