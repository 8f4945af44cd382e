"""The configuration file: YAML to settings, every mistake told in a sentence with its place."""

from difflib import get_close_matches
from pathlib import Path
from typing import Any, TypeVar, get_args

import yaml
from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails
from yaml.constructor import ConstructorError

from edge.errors import ConfigError
from service.brokers.broker import BrokerSettings
from service.environment import fill_in
from service.part import Part
from service.settings import Settings

Valid = TypeVar("Valid", bound=Part)


class _Reach(Part):
    """The one section that says how to reach a broker."""

    broker: BrokerSettings


def read_settings(path: Path) -> Settings:
    """Read a configuration file; ConfigError has a line for each mistake in it."""
    return _validated(path, Settings, _read(path)).relative_to(path.parent)


def read_broker(path: Path) -> BrokerSettings:
    """Read how to reach the one broker of a configuration file, which need not have anything else."""
    section = {name: part for name, part in _read(path).items() if name == "broker"}
    return _validated(path, _Reach, section).broker.relative_to(path.parent)


def _read(path: Path) -> dict[Any, Any]:
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise ConfigError(f"{path}: expected a configuration file, got: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise ConfigError(f"{path}: expected a text file in UTF-8, got other bytes") from error
    raw = _load(path, text)
    if not isinstance(raw, dict):
        raise ConfigError(f"{path}: expected settings such as 'monitors:', got {_shown(raw)}")
    return raw


def _validated(path: Path, model: type[Valid], raw: dict[Any, Any]) -> Valid:
    try:
        return model.model_validate(fill_in(raw))
    except ConfigError as error:
        raise ConfigError(f"{path}: {error}") from error
    except ValidationError as error:
        raise ConfigError("\n".join(f"{path}: {_sentence(details)}" for details in error.errors())) from error


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


def _sentence(details: ErrorDetails) -> str:
    place = ".".join(map(str, details["loc"]))
    match details["type"]:
        case "extra_forbidden":
            return _unknown_key(details)
        case "missing":
            return f"{place}: expected a value, got nothing"
        case "too_short":
            return f"{place}: expected at least one, got none"
        case "value_error":
            said = str(details["ctx"]["error"])
            return f"{place}: {said}" if place else said
    expected = details["msg"].removeprefix("Input should be ").removeprefix("Input should ")
    return f"{place}: expected {expected[:1].lower()}{expected[1:]}, got {_shown(details['input'])}"


def _unknown_key(details: ErrorDetails) -> str:
    *parents, key = details["loc"]
    known = _known_keys(tuple(parents))
    nearest = get_close_matches(str(key), known, 1, 0.5)
    hint = f"did you mean {nearest[0]!r}?" if nearest else f"known are {', '.join(known)}"
    place = ".".join(map(str, details["loc"]))
    return f"{place}: expected a known key, got {key!r}; {hint}"


def _known_keys(place: tuple[int | str, ...]) -> list[str]:
    """Return the keys that the settings have at a place, following the models' annotations."""
    model: type[BaseModel] = Settings
    for step in place:
        field = model.model_fields.get(str(step))
        if field is None:
            continue  # a monitor's own name
        kinds = [kind for kind in (field.annotation, *get_args(field.annotation)) if isinstance(kind, type)]
        model = next((kind for kind in kinds if issubclass(kind, BaseModel)), model)
    return list(model.model_fields)


def _shown(raw: object) -> str:
    return "nothing" if raw is None else repr(raw)[:80]
