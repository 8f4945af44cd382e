"""JSON documents, read fast."""

from typing import Any

import msgspec

from edge.align import LARGEST
from edge.payloads.document import number
from edge.payloads.rejects import Reason, RejectError

_decode = msgspec.json.Decoder().decode


def read_json(payload: bytes) -> Any:
    """Return what a payload says in JSON; RejectError if it is none."""
    try:
        return _decode(payload)
    except (ValueError, RecursionError) as error:
        raise RejectError(Reason.SYNTAX, f"expected JSON, got {payload[:64]!r}: {error}") from error


def numbers(raw: list[Any], where: object) -> list[float]:
    """Return what number() says of each, of one at least."""
    try:
        values: list[float] = msgspec.convert(raw, list[float])  # which takes nothing but int and float
    except msgspec.ValidationError:
        values = [number(each, where) for each in raw]
    if not (max(values) < LARGEST and min(values) > -LARGEST):
        values = [number(each, where) for each in values]
    return values
