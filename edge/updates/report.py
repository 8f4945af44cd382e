"""The report: what a device says of its bundles, as retained JSON with the fields of the classes here."""

import json
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, fields
from typing import Any, Self

from edge.agent.part import Health
from edge.errors import DataError
from edge.updates.updater import Updater

_MOST_BYTES = 256 * 1024


@dataclass(frozen=True, slots=True)
class BundleReport:
    """What a device says of one bundle."""

    in_charge: str = ""  #: version, '' if there is none
    slots: tuple[str, ...] = ()  #: versions: that in charge, then those to fall back on
    state: str = "NONE"  #: of the last order; see ledger.State
    version: str = ""  #: that the last order was about
    deployment: str = ""
    order: str = ""  #: id of the last order that was taken
    number: int = 0  #: of that order
    refused: str = ""  #: why a message since then was not taken for an order
    refused_message: str = ""  #: which one; see order.message_id
    reason: str = ""  #: why it failed or was rolled back
    received: int = 0  #: bytes that have come, while it is DOWNLOADING
    size: int = 0  #: bytes of all files, then
    damaged: int = 0  #: messages that were cut short, damaged or not asked for, then
    newest_ms: int | None = None  #: time of the newest slot with a verdict
    alarms: int = 0  #: raised since the bundle in charge was opened
    since_s: float = 0.0  #: for so long it has been open

    @property
    def alarms_per_day(self) -> float:
        """Return the rate of alarms."""
        return self.alarms / max(self.since_s / 86_400, 1 / 24)  # within the first hour as if it had lasted


@dataclass(frozen=True, slots=True)
class DeviceReport:
    """What a device says of itself."""

    device: str
    groups: tuple[str, ...]
    agent: str  #: release that runs there
    time: int  #: when it was said, UTC epoch ms
    bundles: dict[str, BundleReport]  #: by name

    def to_bytes(self) -> bytes:
        """Return the report as a message."""
        return json.dumps(asdict(self)).encode()

    @classmethod
    def from_bytes(cls, data: bytes) -> Self:
        """Read a message, passing over what a newer release may say besides; DataError if it is no report."""
        if len(data) > _MOST_BYTES:
            raise DataError(f"report: expected at most {_MOST_BYTES} bytes, got {len(data)}")
        try:
            raw = _known(cls, json.loads(data))
            raw |= {"device": _plain(raw["device"]), "agent": _plain(raw["agent"])}
            raw["groups"] = tuple(map(_plain, raw["groups"]))
            raw["time"] = int(raw["time"])
            raw["bundles"] = {_plain(name): _bundle(each) for name, each in raw["bundles"].items()}
            return cls(**raw)
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError, OverflowError) as error:
            raise DataError(f"report: expected what a device says of itself, got: {error}") from error


def bundle_report(updater: Updater, health: Iterable[Health]) -> BundleReport:
    """Return what is to be said of one bundle, which the monitors of `health` run."""
    ledger, found = updater.installation.ledger, list(health)
    received, size = updater.download.progress if updater.download else (0, 0)
    return BundleReport(
        in_charge=ledger.in_charge,
        slots=ledger.slots,
        state=ledger.state,
        version=ledger.version,
        deployment=ledger.deployment,
        order=ledger.order,
        number=ledger.number,
        refused=updater.orders.refusal.reason,
        refused_message=updater.orders.refusal.message,
        reason=ledger.reason,
        received=received,
        size=size,
        damaged=updater.download.damaged if updater.download else 0,
        newest_ms=min((each.newest_ms for each in found if each.newest_ms is not None), default=None),
        alarms=sum(each.alarms for each in found),
        since_s=max((each.since_s for each in found), default=0.0),
    )


def _bundle(raw: dict[str, Any]) -> BundleReport:
    """Return a bundle's part, in which every field is of its type, whatever was said."""
    kinds: dict[str, Callable[[Any], Any]] = {
        each.name: _plain if isinstance(each.default, str) else type(each.default) for each in fields(BundleReport)
    }
    kinds["slots"] = lambda said: tuple(map(_plain, said))
    kinds["newest_ms"] = lambda said: None if said is None else int(said)
    return BundleReport(**{name: kinds[name](said) for name, said in _known(BundleReport, raw).items()})


def _plain(said: object) -> str:
    """Return what a device says, without signs that a terminal would take for something else."""
    return "".join(sign if sign.isprintable() else "?" for sign in str(said))


def _known(kind: type[Any], raw: dict[str, Any]) -> dict[str, Any]:
    return {name: raw[name] for name in (each.name for each in fields(kind)) if name in raw}
