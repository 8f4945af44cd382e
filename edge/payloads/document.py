"""JSON documents: read once, and found in by path."""

import json
import math
from collections.abc import Iterator
from typing import Any

from edge.payloads.payload import plausible
from edge.payloads.rejects import Reason, RejectError

_DEEPEST = 8  #: objects within each other that are looked into for numbers
_NUMBERS = frozenset({int, float})


def read_json(payload: bytes) -> Any:
    """Return what a payload says in JSON; RejectError if it is none."""
    try:
        return _decode(payload.decode())
    except (ValueError, RecursionError) as error:
        raise RejectError(Reason.SYNTAX, f"expected JSON, got {payload[:64]!r}: {error}") from error


class Path:
    """A way into nested objects and arrays: names and indexes, with dots between.

    A name in an array of objects is that of each, so what is there is a list.
    """

    def __init__(self, text: str) -> None:
        self._text = text
        self._steps = text.split(".")
        names = [step for step in self._steps if not step.isdecimal()] or [text]
        self._quoted = json.dumps(names[-1], ensure_ascii=False).encode()

    def __str__(self) -> str:
        return self._text

    def find(self, message: Any) -> Any:
        """Return what is there, or None."""
        if isinstance(message, dict) and self._text in message:
            return message[self._text]  # a name may itself have dots
        for step in self._steps:
            if isinstance(message, dict):
                message = message.get(step)
            elif not isinstance(message, list):
                return None
            elif not (step.isdecimal() and len(step) < 8):
                message = [each.get(step) if isinstance(each, dict) else None for each in message]
                if message.count(None) == len(message):
                    return None
            elif int(step) < len(message):
                message = message[int(step)]
            else:
                return None
        return message

    def refuse_twins(self, payload: bytes, found: Any) -> None:
        """RejectError if an object of the payload has a name twice; `found` is what was found in it."""
        if payload.count(self._quoted) > (len(found) if isinstance(found, list) else 1):
            refuse_twins(payload)


def refuse_twins(payload: bytes) -> None:
    """RejectError if an object of a payload has a name twice, of which the reader takes the last."""
    try:
        json.loads(payload, object_pairs_hook=_unique)
    except (ValueError, RecursionError) as error:
        raise RejectError(Reason.SYNTAX, f"expected JSON, got {payload[:64]!r}: {error}") from error


def number(raw: Any, where: object) -> float:
    """Return a JSON number that a sensor may say; RejectError for anything else."""
    if type(raw) not in _NUMBERS:
        raise RejectError(Reason.NUMBER, f"expected a number at '{where}', got {repr(raw)[:64]}")
    return plausible(raw if type(raw) is float else _as_float(raw))


def numbers(raw: list[Any], where: object) -> list[float]:
    """Return what number() says of each."""
    return [number(each, where) for each in raw]


def leaves(message: dict[str, Any]) -> Iterator[tuple[str, int | float]]:
    """Yield the numbers within an object by their paths."""
    waiting: list[tuple[str, Any, int]] = [(name, each, 1) for name, each in reversed(message.items())]
    while waiting:
        name, value, depth = waiting.pop()
        if type(value) in _NUMBERS:
            yield name, value
        elif isinstance(value, dict | list) and depth < _DEEPEST:
            inner = value.items() if isinstance(value, dict) else enumerate(value)
            waiting.extend((f"{name}.{key}", each, depth + 1) for key, each in reversed(list(inner)))


def _no_number(word: str) -> None:
    raise ValueError(f"expected JSON's numbers, got {word}")


_decode = json.JSONDecoder(parse_constant=_no_number).decode


def _unique(pairs: list[tuple[str, Any]]) -> None:
    names = [name for name, _ in pairs]
    if len(set(names)) != len(names):
        twin = next(name for name in names if names.count(name) > 1)
        raise RejectError(Reason.SYNTAX, f"expected each name once in an object, got {twin[:64]!r} again")


def _as_float(whole: int) -> float:
    try:
        return float(whole)
    except OverflowError:
        return math.inf
