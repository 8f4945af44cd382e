"""The configuration file: YAML to settings, every mistake told in a sentence with its place."""

from pathlib import Path
from typing import Any, TypeVar, get_args

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from edge.configuration import read_configuration, shown, unknown_key
from edge.errors import ConfigError
from service.brokers.broker import BrokerSettings
from service.part import Part
from service.settings import Settings

Valid = TypeVar("Valid", bound=Part)


class _Reach(Part):
    """The one section that says how to reach a broker."""

    broker: BrokerSettings


def read_settings(path: Path) -> Settings:
    """Read a configuration file; ConfigError has a line for each mistake in it."""
    return _validated(path, Settings, read_configuration(path)).relative_to(path.parent)


def read_broker(path: Path) -> BrokerSettings:
    """Read how to reach the one broker of a configuration file, which need not have anything else."""
    section = {name: part for name, part in read_configuration(path).items() if name == "broker"}
    return _validated(path, _Reach, section).broker.relative_to(path.parent)


def _validated(path: Path, model: type[Valid], raw: dict[Any, Any]) -> Valid:
    try:
        return model.model_validate(raw)
    except ConfigError as error:
        raise ConfigError(f"{path}: {error}") from error
    except ValidationError as error:
        raise ConfigError("\n".join(f"{path}: {_sentence(details)}" for details in error.errors())) from error


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
    return f"{place}: expected {expected[:1].lower()}{expected[1:]}, got {shown(details['input'])}"


def _unknown_key(details: ErrorDetails) -> str:
    *parents, key = details["loc"]
    return unknown_key(".".join(map(str, details["loc"])), key, _known_keys(tuple(parents)))


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
