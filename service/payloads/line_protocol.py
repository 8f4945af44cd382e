"""The syntax of Influx line protocol: `measurement,tag=a field=1.5,count=2i 1700000000000000000`."""

import re
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import NamedTuple

from edge.payloads.rejects import Reason, RejectError

_ESCAPED, _QUOTED = r"\\[^\n]?", r'"(?:[^"\\]|\\.)*+"'
_LINE = re.compile(
    rf"[ \t]*+(?:\#[^\n]*+|((?:[^ \n\r\\]|{_ESCAPED})++)[ ]++((?:[^ \n\r\\\"]|{_ESCAPED}|{_QUOTED})++)"
    r"(?:[ ]++(-?[0-9]++))?)?[ \t]*+\r?(?:\n|\Z)",
    re.DOTALL,
)
_FIELD = re.compile(rf"((?:[^,=\\\"]|{_ESCAPED})++)=({_QUOTED}|[^,\"]++)(?:,|\Z)", re.DOTALL)
_UNESCAPED_COMMA, _UNESCAPED_EQUALS = re.compile(r"(?<!\\),"), re.compile(r"(?<!\\)=")
_ESCAPE = re.compile(r"\\([,= ])")
_NUMBER = re.compile(r"[+-]?(?:[0-9]+[iu]|(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?)")
_BOOLEANS = frozenset({"t", "T", "true", "True", "TRUE", "f", "F", "false", "False", "FALSE"})
_LONGEST_TIME = 20  # digits
_LONGEST_REMEMBERED = 512  # characters of measurement and tags


class Point(NamedTuple):
    """A line; its booleans and strings are left out."""

    measurement: str
    tags: Mapping[str, str]
    numbers: dict[str, float]  #: by field
    time: int | None  #: in whatever unit the sender has


def read_points(text: str) -> Iterator[Point]:
    """Yield the points of some lines; RejectError at the first that is none. Comments and empty lines are skipped."""
    place = 0
    while place < len(text):
        line = _LINE.match(text, place)
        if line is None:
            raise _syntax(text[place:])
        place = line.end()
        key, fields, time = line.groups()
        if key is not None:
            measurement, tags = _read_short_key(key) if len(key) <= _LONGEST_REMEMBERED else _read_key(key)
            yield Point(measurement, tags, _read_fields(fields), None if time is None else _read_time(time))


@lru_cache(10_000)
def _read_short_key(key: str) -> tuple[str, Mapping[str, str]]:
    return _read_key(key)  # the same ones come again and again


def _read_key(key: str) -> tuple[str, Mapping[str, str]]:
    if "\\" in key:
        measurement, *pairs = _UNESCAPED_COMMA.split(key)
        split = [_UNESCAPED_EQUALS.split(pair, maxsplit=1) for pair in pairs]
        split = [[_ESCAPE.sub(r"\1", part) for part in pair] for pair in split]
        measurement = _ESCAPE.sub(r"\1", measurement)
    else:
        measurement, *pairs = key.split(",")
        split = [pair.split("=", 1) for pair in pairs]
    if not measurement or not all(len(pair) == 2 and all(pair) for pair in split):
        raise _syntax(key)
    return measurement, {name: tag for name, tag in split}  # noqa: C416  the pairs are lists


def _read_fields(text: str) -> dict[str, float]:
    pairs: list[list[str]] = []
    if "\\" in text or '"' in text:
        place = 0
        while place < len(text):
            field = _FIELD.match(text, place)
            if field is None:
                raise _syntax(text)
            place = field.end()
            pairs.append([_ESCAPE.sub(r"\1", field[1]), field[2]])
    else:
        pairs = [pair.split("=", 1) for pair in text.split(",")]
    numbers = {}
    for pair in pairs:
        if len(pair) != 2 or not pair[0] or not pair[1]:
            raise _syntax(text)
        name, value = pair
        if _NUMBER.fullmatch(value):
            numbers[name] = float(value.rstrip("iu"))
        elif value[0] != '"' and value not in _BOOLEANS:
            raise RejectError(
                Reason.NUMBER, f"expected a number such as 21.5 or 7i in {name[:64]!r}, got {value[:64]!r}"
            )
    return numbers


def _read_time(text: str) -> int:
    if len(text) > _LONGEST_TIME:
        raise RejectError(Reason.TIME, f"expected a time of at most {_LONGEST_TIME} digits, got {text[:64]!r}")
    return int(text)


def _syntax(text: str) -> RejectError:
    return RejectError(
        Reason.SYNTAX, f"expected line protocol such as 'pump,device=p1 flow=1.5 1700000000', got {text[:64]!r}"
    )
