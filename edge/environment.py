"""The environment: `${NAME}` in a value of the configuration stands for a variable's value."""

import os
import re
from collections.abc import Mapping
from typing import Any

from edge.errors import ConfigError

_VARIABLE = re.compile(r"\$\{([A-Z_][A-Z0-9_]*)\}")


def fill_in(raw: Any, place: str = "", variables: Mapping[str, str] = os.environ) -> Any:
    """Return a configuration with the variables' values in it; ConfigError if one is not set.

    What a variable holds is never looked at again, so it cannot name another one.

    >>> fill_in({"broker": {"host": "${SITE}.example", "path": "/$x"}}, variables={"SITE": "north"})
    {'broker': {'host': 'north.example', 'path': '/$x'}}
    """
    if isinstance(raw, dict):
        return {key: fill_in(value, f"{place}{key}.", variables) for key, value in raw.items()}
    if isinstance(raw, list):
        return [fill_in(value, f"{place}{i}.", variables) for i, value in enumerate(raw)]
    if not isinstance(raw, str):
        return raw
    for name in _VARIABLE.findall(raw):
        if name not in variables:
            raise ConfigError(f"{place.rstrip('.')}: expected the variable {name} in the environment, got none")
    return _VARIABLE.sub(lambda found: variables[found[1]], raw)
