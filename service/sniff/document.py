"""What a JSON document of nobody's convention says: where its values are, and its time."""

from collections.abc import Iterator
from typing import Any

from edge.payloads.rejects import RejectError
from edge.payloads.timestamps import epoch_ms

_TIMES = ("ts", "timestamp", "time", "datetime", "date_time", "date", "t", "t0", "start", "last_seen", "received")
_STEPS = ("dt", "step", "interval", "interval_ms", "period")
_NO_VALUES = frozenset({"id", "seq", "sequence", "seqno", "version", "qos", "mid"})
_DEEPEST, _MOST = 4, 200  # levels, paths
_MOST_ELEMENTS = 8  # of an array whose elements are channels


def find_settings(document: Any) -> dict[str, Any]:
    """Return the settings value, fields, time and step of a monitor for documents such as this; {} without a value."""
    if not isinstance(document, dict | list):
        return {}
    found = dict(_paths(document, "", 0))
    time = min((path for path, each in found.items() if _is_time(path, each)), key=_rank, default=None)
    step = next((path for path in found if _last(path) in _STEPS and time is not None), None)
    told = found.get(time) if time is not None else None
    columns = isinstance(told, list) or (step is not None and any(isinstance(each, list) for each in found.values()))
    settings: dict[str, Any] = {} if time is None else {"time": time}
    if columns and not isinstance(told, list):
        settings["step"] = step
    others = {path: each for path, each in found.items() if path not in (time, step) and _last(path) not in _NO_VALUES}
    if columns:
        values = [path for path, each in others.items() if isinstance(each, list) and _fits(each, told)]
    else:
        values = list(_scalars(others))
    if len(values) == 1:
        return settings | {"value": values[0]}
    return settings | {"fields": _named(values)} if values else {}


def _paths(document: Any, path: str, depth: int) -> Iterator[tuple[str, Any]]:
    """Yield what is within, by path: numbers, texts, and arrays of them."""
    if isinstance(document, list) and document and all(isinstance(each, dict) for each in document):
        names = list(dict.fromkeys(name for each in document[:50] for name in each))
        document = {name: [each.get(name) for each in document] for name in names}
    if isinstance(document, dict) and depth < _DEEPEST:
        for name, each in list(document.items())[:_MOST]:
            yield from _paths(each, f"{path}.{name}" if path else name, depth + 1)
    elif path:
        yield path, document


def _scalars(found: dict[str, Any]) -> Iterator[str]:
    for path, each in found.items():
        if _is_number(each):
            yield path
        elif isinstance(each, list) and len(each) <= _MOST_ELEMENTS:
            yield from (f"{path}.{k}" for k, element in enumerate(each) if _is_number(element))


def _fits(values: list[Any], times: Any) -> bool:
    """Whether an array is one of values, as long as that of the times if there is one."""
    numbers = [each for each in values if each is not None]
    return (
        bool(numbers) and all(map(_is_number, numbers)) and not (isinstance(times, list) and len(times) != len(values))
    )


def _is_number(raw: Any) -> bool:
    return isinstance(raw, int | float) and not isinstance(raw, bool)


def _is_time(path: str, raw: Any) -> bool:
    if _last(path) not in _TIMES:
        return False
    try:
        return all([epoch_ms(each) for each in (raw if isinstance(raw, list) else [raw])])  # noqa: C419  all must be read
    except RejectError:
        return False


def _rank(path: str) -> tuple[int, int]:
    return path.count("."), _TIMES.index(_last(path))


def _last(path: str) -> str:
    return path.rsplit(".", 1)[-1].lower()


def _named(paths: list[str]) -> dict[str, str]:
    """Return channels for paths: their last names where these are apart, else the whole paths."""
    lasts = [path.rsplit(".", 1)[-1] for path in paths]
    return {
        (last if lasts.count(last) == 1 and not last.isdecimal() else path): path
        for path, last in zip(paths, lasts, strict=True)
    }
