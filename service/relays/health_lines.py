"""The service's own health as points of the measurement `foresense`, every ten seconds."""

from collections.abc import Mapping
from typing import Any

from edge.payloads.rejects import Reason
from service.relays.lines import tag

_TOTALS = ("received", "committed", "retained", "refused", "readings", "verdicts", "alarms", "retries", "unstored")


def health_lines(told: Mapping[str, Any], waiting: Mapping[str, int]) -> list[bytes]:
    """Return what a service tells of itself (see Standing.tell) as lines; `waiting` are rows of the outbox by sink.

    One point is of the service, and one each of its brokers, monitors, sinks and the reasons of its rejects, which
    the tag of that name tells apart. Totals are since the start.
    """
    rejects = told["counters"]["rejects"]
    return [
        _line(told, {}, _of_service(told)),
        *(_line(told, {"broker": name}, {"connected": bool(up)}) for name, up in told["brokers"].items()),
        *(_line(told, {"reason": str(reason)}, {"rejects": rejects.get(str(reason), 0)}) for reason in Reason),
        *(_of_monitor(told, name, each) for name, each in told["monitors"].items()),
        *(_line(told, {"sink": name}, _of_sink(told, name, rows)) for name, rows in waiting.items()),
    ]


def _of_service(told: Mapping[str, Any]) -> dict[str, float]:
    counters = told["counters"]
    fields: dict[str, float] = {f"{name}_per_s": float(rate) for name, rate in told["per_second"].items()}
    fields |= {name: counters[name] for name in _TOTALS}
    return fields | {
        "rejected": sum(counters["rejects"].values()),
        "in_flight": told["messages_in_flight"],
        "queue": told["queue_messages"],
        "queue_bytes": told["queue_bytes"],
        "uptime_s": (told["written"] - told["started"]) / 1000,
        "stores_verdicts": bool(told["stores_verdicts"]),
        "change_refused": told["refused"] is not None,
    }


def _of_monitor(told: Mapping[str, Any], name: str, each: Mapping[str, Any]) -> bytes:
    fields: dict[str, float] = dict(each["streams"])
    if each["newest"] is not None:
        fields["lag_s"] = (told["written"] - each["newest"]) / 1000
    if each["achieved"] is not None:
        fields["achieved"] = float(each["achieved"])
    return _line(told, {"bundle": each["bundle"], "monitor": name}, fields)


def _of_sink(told: Mapping[str, Any], name: str, rows: int) -> dict[str, float]:
    """Return the fields of a sink; `up` of an MQTT broker is told by its own point."""
    counters = told["counters"]
    fields = {"outbox": rows, "dropped": counters["dropped"].get(name, 0)}
    fields["refused"] = counters["undeliverable"].get(name, 0)
    return fields | ({"up": not told["sinks"][name]} if name in told["sinks"] else {})


def _line(told: Mapping[str, Any], tags: Mapping[str, str], fields: Mapping[str, float]) -> bytes:
    """Return a point at the time of telling; whole numbers and truths are written as whole numbers."""
    named = {**tags, "service": told["service"]}
    head = ",".join(["foresense", *(f"{name}={tag(named[name])}" for name in sorted(named))])
    written = ",".join(f"{name}={x!r}" if isinstance(x, float) else f"{name}={int(x)}i" for name, x in fields.items())
    return f"{head} {written} {told['written']}".encode()
