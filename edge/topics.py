"""Topics: a template such as `plant/{site}/{device}/{channel}` finds streams and channels."""

import re
from typing import NamedTuple

from edge.errors import ConfigError

CHANNEL = "channel"
OWN_ENDS = ("alarm", "verdict", "incident", "availability")  #: last levels of what we publish
LONGEST = 1024  #: characters of a topic; the stream's name becomes part of others
_PLACEHOLDER = re.compile(r"\{(_?[a-z][a-z0-9_]*)(\.\.\.)?\}")
_WITH_NAMES = re.compile(r"[{}]")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")
_NO_NAME = re.compile(r"[\x00-\x1f\x7f-\x9f+#]")  # we could publish nothing of such a stream


class Match(NamedTuple):
    """What a topic says of its message."""

    stream: str  #: the placeholders other than the channel, joined by '/'; '' where there is none
    channel: str | None
    topic: str = ""

    def stream_name(self, told: str, default: str) -> str:
        """Return the name of the message's stream; `told` is what the message itself adds to it."""
        return "/".join(part for part in (self.stream, told) if part) or default


class Template:
    """A topic with placeholders, each of which stands for one whole level.

    A placeholder such as `{_type}` is no part of the stream's name; one such as `{device...}`, the last, stands for any
    number of levels, even none.
    """

    def __init__(self, text: str) -> None:
        self._text = text
        levels = text.split("/")
        names = [self._name(level, last=i == len(levels) - 1) for i, level in enumerate(levels)]
        self._open = levels[-1].endswith("...}")
        told = [i for i, name in enumerate(names) if name not in (None, CHANNEL) and not str(name).startswith("_")]
        self._tells_rest = self._open and len(levels) - 1 in told
        self._levels = [level if name is None else None for level, name in zip(levels, names, strict=True)]
        if self._open:
            self._levels.pop()
        self._stream_levels = [i for i in told if i < len(self._levels)]
        self._channel_level = names.index(CHANNEL) if CHANNEL in names else None
        for name in names:
            if name is not None and names.count(name) > 1:
                raise ConfigError(f"topic: expected each placeholder once, got {{{name}}} twice in {text!r}")

    def __str__(self) -> str:
        return self._text

    @property
    def filter(self) -> str:
        """Return the MQTT topic filter that subscribes to all topics of the template."""
        return "/".join(["+" if level is None else level for level in self._levels] + ["#"] * self._open)

    @property
    def names_channel(self) -> bool:
        """Whether the topic, rather than the payload, says which channel a message is of."""
        return self._channel_level is not None

    def match(self, topic: str) -> Match | None:
        """Return what the topic says, or None if it is none of the template's."""
        levels = topic.split("/") if len(topic) <= LONGEST else []
        count = len(self._levels)
        if (len(levels) != count and not (self._open and len(levels) > count)) or _NO_NAME.search(topic):
            return None
        for level, own in zip(levels, self._levels, strict=False):
            if not (level if own is None else level == own):
                return None
        stream = [levels[i] for i in self._stream_levels]
        if len(levels) > count:
            if not all(levels[count:]):
                return None
            stream += levels[count:] if self._tells_rest else []
        channel = None if self._channel_level is None else levels[self._channel_level]
        return Match("/".join(stream), channel, topic)

    def _name(self, level: str, last: bool) -> str | None:
        """Return the placeholder's name, or None for a level that is itself; ConfigError if it is neither."""
        if level[:1] in ("", "$") or any(sign in level for sign in "+#") or _CONTROL.search(level):
            raise ConfigError(
                "topic: expected levels that are names or placeholders such as plant/{device}/{channel}, "
                f"got {level!r} in {self._text!r}"
            )
        if placeholder := _PLACEHOLDER.fullmatch(level):
            if placeholder[2] and not (last and placeholder[1] != CHANNEL):
                raise ConfigError(f"topic: expected '...' only in a last level such as {{device...}}, got {level!r}")
            return placeholder[1]
        if _WITH_NAMES.search(level):
            raise ConfigError(
                f"topic: expected placeholders such as {{device}} that fill a level, got {level!r} in {self._text!r}"
            )
        return None


def overlap(one: str, other: str) -> bool:
    """Whether there is a topic that both filters match.

    >>> overlap("plant/+/flow", "plant/north/#"), overlap("plant/+/flow", "plant/+/level")
    (True, False)
    """
    first, second = one.split("/"), other.split("/")
    for a, b in zip(first, second, strict=False):
        if "#" in (a, b):
            return True
        if a != b and "+" not in (a, b):
            return False
    longer = max(first, second, key=len)[min(len(first), len(second)) :]
    return not longer or longer == ["#"]  # 'a/#' matches 'a' as well


def may_be_ours(one: str, prefix: str) -> bool:
    """Whether there is a topic of what we publish beneath a prefix that a filter matches.

    >>> may_be_ours("+/+/verdict", "foresense"), may_be_ours("+/sensor/+/state", "foresense")
    (True, False)
    """
    first, *_, last = one.split("/") if "/" in one else (one, one)
    return overlap(one, f"{prefix}/#") and (first != "+" or last in ("+", "#", *OWN_ENDS))
