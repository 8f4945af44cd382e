"""The alarm policy as the command line gives it: the same settings as `alarm:` in the service's configuration."""

from collections.abc import Mapping
from dataclasses import fields
from difflib import get_close_matches
from typing import Any

from edge.alarm import AlarmPolicy
from edge.errors import ConfigError


def read_policy(texts: Mapping[str, str]) -> AlarmPolicy:
    """Return the policy with the settings given as text, the others as usual; ConfigError names what is wrong.

    >>> read_policy({"k": "2", "n": "3"})
    AlarmPolicy(k=2, n=3, recovery=6, cool_down=12)
    """
    usual: dict[str, Any] = {each.name: getattr(AlarmPolicy(), each.name) for each in fields(AlarmPolicy)}
    given: dict[str, Any] = {}
    for name, text in texts.items():
        if name not in usual:
            near = get_close_matches(name, usual, 1)
            hint = f"; did you mean {near[0]!r}?" if near else ""
            raise ConfigError(f"--alarm: expected one of {', '.join(usual)}, got {name!r}{hint}")
        kind = type(usual[name])
        try:
            given[name] = kind(text)
        except ValueError as error:
            raise ConfigError(f"--alarm {name}: expected a value such as {usual[name]}, got {text!r}") from error
    return AlarmPolicy(**given)
