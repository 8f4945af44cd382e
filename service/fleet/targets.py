"""Targets: which devices a deployment is for."""

import hashlib
import re
from collections.abc import Mapping
from difflib import get_close_matches

from edge.errors import ConfigError
from edge.updates.report import DeviceReport

ALL = "all"
_PERCENT = re.compile(r"(\d{1,3}(?:\.\d+)?) ?%")


def choose(target: str, bundle: str, reports: Mapping[str, DeviceReport]) -> list[str]:
    """Return the devices that run a bundle and are meant by a device's name, a group, 'all', or a percentage.

    They are in the order of a hash of their names, and a percentage is the first part of that order: who is among 10 %
    is among 20 % as well, whatever devices come and go. ConfigError if there is none.
    """
    running = {name: report for name, report in reports.items() if bundle in report.bundles}
    percent = _PERCENT.fullmatch(target)
    if target in running:
        chosen = [target]
    elif percent or target == ALL:
        part = float(percent[1]) / 100 if percent else 1.0
        chosen = [name for name in running if place(name) < part]
    else:
        chosen = [name for name, report in running.items() if target in report.groups]
    if not chosen:
        raise ConfigError(
            f"--to: expected a device, group or percentage of those that run {bundle}, {_got(target, running)}"
        )
    return sorted(chosen, key=place)


def place(device: str) -> float:
    """Return a device's place among all, from 0 to less than 1, which depends on its name alone.

    >>> round(place("pi-7"), 3)
    0.379
    """
    return int.from_bytes(hashlib.sha256(device.encode()).digest()[:6]) / 2**48


def _got(target: str, running: Mapping[str, DeviceReport]) -> str:
    groups = {group for report in running.values() for group in report.groups}
    known = [*running, *groups]
    if not known:
        return f"got {target!r} and no such device"
    if nearest := get_close_matches(target, known, 1, 0.5):
        return f"got {target!r}; did you mean {nearest[0]!r}?"
    return f"got {target!r}, which is none of {len(running)} devices and {len(groups)} groups"
