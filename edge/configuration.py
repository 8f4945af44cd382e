"""The configuration file: YAML to frozen dataclasses, every mistake told in a sentence with its place."""

from collections.abc import Iterator, Mapping
from dataclasses import MISSING, Field, fields, is_dataclass
from difflib import get_close_matches
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, Literal, TypeVar, Union, cast, get_args, get_origin, get_type_hints

import yaml
from yaml.constructor import ConstructorError

from edge.environment import fill_in
from edge.errors import ConfigError

T = TypeVar("T")

_KINDS = {str: "text", int: "a whole number", float: "a number", bool: "true or false", Path: "a path"}


def read_configuration(path: Path) -> dict[Any, Any]:
    """Return what a configuration file says, variables of the environment in their places; or ConfigError."""
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise ConfigError(f"{path}: expected a configuration file, got: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise ConfigError(f"{path}: expected a text file in UTF-8, got other bytes") from error
    raw = _load(path, text)
    if not isinstance(raw, dict):
        raise ConfigError(f"{path}: expected settings such as 'monitors:', got {shown(raw)}")
    try:
        return {key: fill_in(value, f"{key}.") for key, value in raw.items()}
    except ConfigError as error:
        raise ConfigError(f"{path}: {error}") from error


def build(kind: type[T], raw: Mapping[Any, Any], path: Path) -> T:
    """Return the dataclass that a file's settings are of; ConfigError has a line for each mistake in them.

    Relative paths are taken from the file's folder. What a dataclass refuses itself, by a ValueError or a ConfigError,
    is told with the place where it is given. `true` in place of a part's settings means its defaults, `false` none.
    """
    mistakes: list[str] = []
    made = _Builder(mistakes, path.parent).part(kind, raw, "")
    if mistakes:
        raise ConfigError("\n".join(f"{path}: {mistake}" for mistake in mistakes))
    return cast(T, made)


def unknown_key(place: str, key: object, known: list[str]) -> str:
    """Return what is said of a key that is not known; it names the nearest one that is."""
    nearest = get_close_matches(str(key), known, 1, 0.5)
    hint = f"did you mean {nearest[0]!r}?" if nearest else f"known are {', '.join(known)}"
    return f"{place}: expected a known key, got {key!r}; {hint}"


def shown(raw: object) -> str:
    """Return a value as a message shows it."""
    return "nothing" if raw is None else repr(raw)[:80]


class _Builder:
    """Builds values of the types that dataclasses declare, and notes what cannot be."""

    def __init__(self, mistakes: list[str], folder: Path) -> None:
        self._mistakes = mistakes
        self._folder = folder

    def part(self, kind: Any, raw: Any, place: str) -> Any:
        """Return a dataclass made of a mapping; None, and a note, if it cannot be."""
        if not isinstance(raw, Mapping):
            return self._note(place, f"expected settings with {', '.join(_names(kind))}, got {shown(raw)}")
        before, hints = len(self._mistakes), get_type_hints(kind)
        known = {each.name: each for each in fields(kind)}
        for key in raw.keys() - known.keys():
            self._mistakes.append(unknown_key(_at(place, key), key, list(known)))
        given = {name: self.value(hints[name], raw[name], _at(place, name)) for name in known if name in raw}
        self._mistakes += [
            f"{_at(place, name)}: expected a value, got nothing"
            for name, each in known.items()
            if name not in raw and _is_needed(each)
        ]
        if len(self._mistakes) > before:
            return None
        given |= {
            name: self._folder / each.default
            for name, each in known.items()
            if name not in raw and isinstance(each.default, Path)
        }
        try:
            return kind(**given)
        except (ConfigError, ValueError) as error:
            return self._note(place, str(error).removeprefix(f"{place.rpartition('.')[2]}: "))

    def value(self, kind: Any, raw: Any, place: str) -> Any:
        """Return a value of a type; None, and a note, if it is none of it."""
        origin, inner = get_origin(kind), get_args(kind)
        if origin in (Union, UnionType):
            return self._one_of(inner, raw, place)
        if origin is Literal:
            if any(raw == each and type(raw) is type(each) for each in inner):
                return raw
            return self._note(place, f"expected {' or '.join(map(str, inner))}, got {shown(raw)}")
        if origin is tuple:
            if not isinstance(raw, list):
                return self._note(place, f"expected a list, got {shown(raw)}")
            return tuple(self.value(inner[0], each, _at(place, i)) for i, each in enumerate(raw))
        if origin is not None and issubclass(origin, Mapping):
            return self._mapping(inner[1], raw, place)
        if is_dataclass(kind):
            return self.part(kind, {} if raw is True else raw, place)
        return self._plain(kind, raw, place)

    def _one_of(self, kinds: tuple[Any, ...], raw: Any, place: str) -> Any:
        if (raw is None or raw is False) and NoneType in kinds and bool not in kinds:
            return None
        named = [kind for kind in kinds if isinstance(get_origin(kind), type) and issubclass(get_origin(kind), Mapping)]
        others = [kind for kind in kinds if kind is not NoneType and kind not in named]
        if named and isinstance(raw, Mapping):
            return self.value(named[0], raw, place)
        for kind in others[:-1]:
            trial = _Builder([], self._folder)
            if (value := trial.value(kind, raw, place)) is not None and not trial._mistakes:
                return value
        return self.value(others[-1], raw, place)

    def _mapping(self, kind: Any, raw: Any, place: str) -> Any:
        if not isinstance(raw, Mapping):
            return self._note(place, f"expected names with their values, got {shown(raw)}")
        return {str(key): self.value(kind, each, _at(place, key)) for key, each in raw.items()}

    def _plain(self, kind: Any, raw: Any, place: str) -> Any:
        if kind is float and type(raw) is int:
            return float(raw)
        if kind is Path and isinstance(raw, str) and raw:
            return self._folder / raw
        if type(raw) is kind:
            return raw
        return self._note(place, f"expected {_KINDS[kind]}, got {shown(raw)}")

    def _note(self, place: str, said: str) -> None:
        self._mistakes.append(f"{place}: {said}" if place else said)


class _Loader(yaml.SafeLoader):
    """Plain YAML in which a key given twice is a mistake."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen = set()
        for key in (key for key, _ in node.value if isinstance(key, yaml.ScalarNode)):
            if key.value in seen:
                raise ConstructorError(None, None, f"expected each key once, got {key.value!r} again", key.start_mark)
            seen.add(key.value)
        return super().construct_mapping(node, deep)


def _load(path: Path, text: str) -> Any:
    try:
        return yaml.load(text, _Loader)  # noqa: S506  _Loader is a SafeLoader
    except yaml.MarkedYAMLError as error:
        line = f" line {error.problem_mark.line + 1}:" if error.problem_mark else ""
        raise ConfigError(f"{path}:{line} expected YAML, got: {error.problem}") from error
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise ConfigError(f"{path}: expected YAML, got: {' '.join(str(error).split())}") from error


def _names(kind: Any) -> Iterator[str]:
    return (each.name for each in fields(kind))


def _is_needed(each: Field[Any]) -> bool:
    return each.default is MISSING and each.default_factory is MISSING


def _at(place: str, step: object) -> str:
    return f"{place}.{step}" if place else str(step)
