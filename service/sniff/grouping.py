"""Grouping: topics that are alike to the templates of monitors."""

import re
from collections import defaultdict
from collections.abc import Sequence

from edge.errors import ConfigError
from edge.topics import CHANNEL, Template

_DIGITS = re.compile(r"[0-9]+")
_NAMES = ("site", "area", "line", "device")
_SUFFIXES = frozenset({"state", "value", "status"})  # levels that may follow a channel's
_MOST_CHANNELS = 64
_MANY_ROOTS = 3
_SPARKPLUG = "spBv1.0/{group}/{_type}/{node}/{device...}"


def templates(convention: str, topics: Sequence[str], names_channel: bool) -> dict[str, list[str]]:
    """Return templates for topics whose messages are written alike, each with those that are its.

    `names_channel` says that a topic may name the channel, as its messages do not.
    """
    if known := _known(convention, topics):
        return known
    found: dict[str, list[str]] = {}
    by_length: dict[int, list[list[str]]] = defaultdict(list)
    for topic in topics:
        by_length[topic.count("/")].append(topic.split("/"))
    for alike in by_length.values():
        for cluster in _clusters(alike):
            found.setdefault(_template(cluster, names_channel), []).extend("/".join(levels) for levels in cluster)
    return found


def _known(convention: str, topics: Sequence[str]) -> dict[str, list[str]]:
    """Return the templates of a convention that has topics of its own; {} if these are none of them."""
    found: dict[str, list[str]] = defaultdict(list)
    for topic in topics:
        levels, place, name = topic.split("/"), -1, "{device}"
        if convention == "sparkplug":
            levels = [_SPARKPLUG]
        elif convention == "tasmota" and "tele" in levels[:-2]:
            levels[-2] = name
        elif convention == "tasmota" and levels[-2:-1] == ["tele"] and len(levels) > 2:
            levels[-3] = name
        elif convention == "zigbee2mqtt":
            levels[place] = name
        elif convention == "homeassistant":
            levels[-2] = name
        elif convention == "esphome":
            levels[-4], levels[-2] = name, f"{{{CHANNEL}}}"
        else:
            return {}
        if any("{" in each and not each.startswith("{") for each in levels if each != _SPARKPLUG):
            return {}
        found["/".join(levels)].append(topic)
    return found


def _clusters(alike: list[list[str]]) -> list[list[list[str]]]:
    """Return topics of as many levels by their first, or together where many first levels have the same beneath."""
    by_root: dict[str, list[list[str]]] = defaultdict(list)
    for levels in alike:
        by_root[levels[0]].append(levels)
    beneath = {root: {tuple(levels[1:]) for levels in cluster} for root, cluster in by_root.items()}
    first = next(iter(beneath.values()))
    if len(by_root) >= _MANY_ROOTS and all(2 * len(tails & first) > len(tails | first) for tails in beneath.values()):
        return [alike]
    return list(by_root.values())


def _template(cluster: list[list[str]], names_channel: bool) -> str:
    levels = list(cluster[0])
    varying = [i for i in range(len(levels)) if len({each[i] for each in cluster}) > 1]
    devices = list(varying)
    if names_channel and varying and _is_channel(cluster, varying):
        levels[devices.pop()] = f"{{{CHANNEL}}}"
    names = [*(f"level{k}" for k in range(len(devices) - len(_NAMES))), *_names_of(min(len(devices), len(_NAMES)))]
    for i, name in zip(devices, names, strict=True):
        levels[i] = f"{{{name}}}"
    return "/".join(levels)


def _names_of(count: int) -> list[str]:
    """Return names for levels that tell streams, the last a device."""
    return [*_NAMES[: count - 1], _NAMES[-1]] if count else []


def _is_channel(cluster: list[list[str]], varying: list[int]) -> bool:
    """Whether the last level that varies is of channels: the same few beneath most devices, not numbered ones."""
    *others, last = varying
    if not all(level in _SUFFIXES for level in cluster[0][last + 1 :]):
        return False
    values = {levels[last] for levels in cluster}
    if len(values) > _MOST_CHANNELS or len({_DIGITS.sub("", value) for value in values}) == 1:
        return False
    above = {tuple(levels[i] for i in others) for levels in cluster}
    return not others or 2 * len(cluster) > len(above) * len(values) or len(above) > len(values)


def is_template(text: str, topics: Sequence[str]) -> bool:
    """Whether a text is a template of all these topics; names of levels may be such that it is none."""
    try:
        template = Template(text)
    except ConfigError:
        return False
    return all(template.match(topic) for topic in topics)
