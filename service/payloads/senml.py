"""SenML (RFC 8428) in JSON and in CBOR: records that lean on base values told before them."""

import math
import re
from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any

import cbor2

from edge.payloads.payload import ANYWHERE, Run, as_level
from edge.payloads.rejects import Reason, RejectError
from edge.payloads.timestamps import within
from edge.topics import Match
from service.payloads.document import read_json
from service.payloads.gathering import Gathering, Naming

ONLY = "value"  #: the channel of a record without a name of its own
VERSION = 10  #: the highest that is understood
_RELATIVE_S = 2**28  # a time below is told from now
_LABELS = {
    -1: "bver", -2: "bn", -3: "bt", -4: "bu", -5: "bv", -6: "bs",
    0: "n", 1: "u", 2: "v", 3: "vs", 4: "vb", 5: "s", 6: "t", 7: "ut", 8: "vd",
}  # fmt: skip
_SEPARATORS = re.compile(r"[/:]")
Record = dict[str, Any]


class SenmlPayload:
    """Takes each record with a value as a reading: its base name tells the stream, its own name the channel.

    A record without a name of its own is of the channel `value`. A name without a base is cut at its last ':' or '/'.
    Times that are told from now count from the receipt.
    """

    def __init__(self, fields: Mapping[str, str]) -> None:
        self._naming = Naming(fields)

    def parse(self, payload: bytes, _channel: str, _match: Match = ANYWHERE, /) -> list[Run]:
        """Return the values of all records."""
        gathering = Gathering(self._naming)
        for record in resolve(read_records(payload)):
            time_s = record["t"]
            if relative := time_s < _RELATIVE_S:
                time_ms = round(1000 * time_s)
            else:
                time_ms = within(round(1000 * time_s), time_s)
            gathering.add(record["n"], record["v"], time_ms, record["bn"], from_receipt=relative)
        return gathering.some_runs()


def read_records(payload: bytes) -> list[Record]:
    """Return the records as they are, by the names of the JSON form; RejectError if it is no SenML."""
    pack = read_json(payload) if payload[:1].isspace() or payload[:1] == b"[" else _read_cbor(payload)
    if not isinstance(pack, list) or not all(isinstance(record, dict) for record in pack):
        raise RejectError(Reason.SYNTAX, f"expected a SenML pack, an array of records, got {payload[:64]!r}")
    return [{_LABELS.get(key, str(key)): value for key, value in record.items()} for record in pack]


def resolve(records: list[Record]) -> Iterator[Record]:
    """Yield the records that have a value with n (channel), bn (stream), t (s), u and v in full."""
    base: Record = {"bn": "", "bt": 0.0, "bu": "", "bv": 0.0}
    for record in records:
        for name in record:
            if name.endswith("_"):
                raise RejectError(
                    Reason.SYNTAX, f"expected labels of RFC 8428, got {name[:64]!r}, which must be understood"
                )
        if _real(record.get("bver", VERSION), "bver") > VERSION:
            raise RejectError(Reason.SYNTAX, f"expected SenML of version {VERSION} at most, got {record['bver']}")
        base |= {name: record[name] for name in base if name in record}
        if "v" in record:
            stream, channel = _names(base["bn"], record.get("n", ""))
            time = _real(base["bt"], "bt") + _real(record.get("t", 0), "t")
            if time < -_RELATIVE_S:
                raise RejectError(Reason.TIME, f"expected a time of at most {_RELATIVE_S} s ago, got {time:g}")
            value = _real(base["bv"], "bv") + _real(record["v"], "v")
            yield {"n": channel, "bn": stream, "t": time, "u": record.get("u", base["bu"]), "v": value}


def _read_cbor(payload: bytes) -> Any:
    try:
        return cbor2.loads(payload, max_depth=16, allow_duplicate_keys=False)
    except (cbor2.CBORError, ValueError, TypeError, ArithmeticError, LookupError, RecursionError, MemoryError) as error:
        raise RejectError(Reason.SYNTAX, f"expected SenML in JSON or CBOR, got {payload[:64]!r}: {error}") from error


def _names(base: Any, name: Any) -> tuple[str, str]:
    """Return what a record's name says of stream and channel."""
    if not (isinstance(base, str) and isinstance(name, str) and base + name):
        raise RejectError(Reason.MISSING, f"expected a name (bn, n), got {repr((base, name))[:64]}")
    if not base and (cuts := [cut.end() for cut in _SEPARATORS.finditer(name, 0, len(name) - 1)]):
        base, name = name[: cuts[-1]], name[cuts[-1] :]
    return "/".join(as_level(part) for part in base.rstrip("/:").split("/") if part), name or ONLY


def _real(raw: Any, label: str) -> float:
    if isinstance(raw, bool) or not isinstance(raw, int | float | Decimal):
        raise RejectError(Reason.NUMBER, f"expected a number in {label!r}, got {type(raw).__name__}")
    try:
        value = float(raw)
    except (OverflowError, ValueError):
        value = math.inf
    if not math.isfinite(value):
        raise RejectError(Reason.NUMBER, f"expected a finite number in {label!r}, got {value:g}")
    return value
