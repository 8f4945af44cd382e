import json
from typing import Any

import pytest

from edge.errors import BundleError
from edge.manifest import Channel, Manifest
from tests.conftest import manifest_of

NAN = float("nan")


def changed(place: str, value: Any) -> bytes:
    """Return a manifest as it is stored, with another value in a place."""
    raw = json.loads(manifest_of(Channel("flow", "l/min"), Channel("heat")).to_json())
    *steps, last = place.split(".")
    part = raw
    for step in steps:
        part = part[int(step) if isinstance(part, list) else step]
    part[int(last) if isinstance(part, list) else last] = value
    return json.dumps(raw).encode()


def test_what_was_stored_is_read_back() -> None:
    assert Manifest.from_json(changed("version", "2")).version == "2"


@pytest.mark.parametrize(
    ("place", "value", "told"),
    [
        ("name", None, "name: expected text, got None"),
        ("budget", 5, "budget: expected text, got 5"),
        ("interval_ms", 0, "interval_ms: expected a whole number from 1 to 2147483647, got 0"),
        ("interval_ms", "10s", "interval_ms: expected a whole number"),
        ("memory", 10**30, "memory: expected a whole number from 0 to 1048576"),
        ("burn_in", 1.5, "burn_in: expected a whole number"),
        ("max_gap", NAN, "max_gap: expected a whole number"),
        ("calendar", "yes", "calendar: expected true or false"),
        ("time_zone", "Mars/Olympus", "time zone: expected an IANA name"),
        ("time_zone", 1, "time_zone: expected text"),
        ("metrics", [], "metrics: expected names with their values"),
        ("channels", [], "channels: expected at least one"),
        ("channels.1.name", "flow", "channels: expected at least one, each with a name of its own"),
        ("channels.0.counter", "no", "channels: flow: counter: expected true or false"),
        ("channels.0.least", {}, "manifest.json: expected the fields of schema 1"),
        ("scaling.low", [0.0], r"scaling\.low: expected 2 finite numbers"),
        ("scaling.low", [0.0, 1e9], r"scaling\.low: expected numbers below those of scaling\.high"),
        ("scaling.spread", [1.0, -1.0], r"scaling\.spread: expected numbers from 0 to 1e30"),
        ("scaling.spread", [1.0, 1e300], r"scaling\.spread: expected numbers from 0 to 1e30"),
        (
            "scaling.streams.known.scale",
            [0.0, 1.0],
            r"scaling\.streams: known: expected 2 finite numbers each, a scale",
        ),
        ("scaling.streams.known.location", [1.0], r"scaling\.streams: known: expected 2 finite numbers each"),
        ("scaling.streams.known.spread", [NAN, 1.0], r"scaling\.streams: known: expected 2 finite numbers each"),
        ("reference.rare", [1.0], r"reference\.rare: expected 5 finite numbers"),
        ("reference.rate", [0, 0, 0, 0, 0], r"reference\.rate: expected shares above 0"),
        ("reference.excess.0", -1, r"reference\.excess: expected numbers of at least 0"),
        ("tail.exceeding", 0, r"tail\.exceeding: expected a whole number from 1 to 1000"),
        ("tail.threshold", "high", "tail: expected 2 finite numbers"),
        ("tail.mean_excess", 0, r"tail\.mean_excess: expected a number above 0"),
    ],
)
def test_a_manifest_that_makes_no_sense_is_refused_with_its_place(place: str, value: Any, told: str) -> None:
    with pytest.raises(BundleError, match=told):
        Manifest.from_json(changed(place, value))
