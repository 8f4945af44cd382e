"""The alarm policy as the command line gives it: the same settings as `alarm:` in the service's configuration."""

from collections.abc import Mapping
from dataclasses import asdict
from difflib import get_close_matches
from typing import Any

from edge.alarm import AlarmPolicy
from edge.errors import ConfigError

BY_CHANNEL = ("direction", "least_absolute", "least_relative")


def read_policy(texts: Mapping[str, str]) -> AlarmPolicy:
    """Return the policy with the settings given as text, the others as usual; ConfigError names what is wrong.

    One that may differ by channel is given for all, `direction`, or for one, `direction.flow`.

    >>> read_policy({"k": "2", "n": "3", "direction.flow": "above"}).direction
    {'flow': 'above'}
    """
    usual, given = asdict(AlarmPolicy()), dict[str, Any]()
    for text_name, text in texts.items():
        name, dot, channel = text_name.partition(".")
        if name not in usual or (dot and name not in BY_CHANNEL):
            known = ", ".join([*usual, *(f"{each}.CHANNEL" for each in BY_CHANNEL)])
            near = get_close_matches(name, usual, 1)
            hint = f"; did you mean {near[0]!r}?" if near and near[0] != name else ""
            raise ConfigError(f"--alarm: expected one of {known}, got {text_name!r}{hint}")
        value = _read(text_name, text, usual[name])
        if name in given and isinstance(given[name], dict) != bool(dot):
            raise ConfigError(f"--alarm: expected {name} either for all channels or by channel, got both")
        given[name] = given.get(name, {}) | {channel: value} if dot else value
    return AlarmPolicy(**given)


def _read(name: str, text: str, usual: Any) -> Any:
    try:
        return type(usual)(text)
    except ValueError as error:
        raise ConfigError(f"--alarm {name}: expected a value such as {usual}, got {text!r}") from error
