"""The reference of settings and commands in the service's README is complete."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

import pytest
from pydantic import BaseModel

from service.cli import COMMANDS
from service.settings import Settings

README = (Path(__file__).parents[2] / "service" / "README.md").read_text()
LISTS = ("maintenance",)  # a monitor's is as that of all


def parts(annotation: Any) -> Iterator[Any]:
    yield annotation
    for part in get_args(annotation):
        yield from parts(part)


def names(model: type[BaseModel], place: str = "") -> Iterator[str]:
    """Yield the settings of a model that hold a value, as the reference calls them."""
    for name, field in model.model_fields.items():
        inner = [part for part in parts(field.annotation) if isinstance(part, type) and issubclass(part, BaseModel)]
        if name == "brokers":  # each has the settings of `broker`
            continue
        if name in ("monitors", "sinks", "notifications"):
            yield from names(inner[0], f"{name}.NAME.")
        elif inner and not (place and name in LISTS):
            yield from names(inner[0], f"{place}{name}.")
        else:
            yield f"{place}{name}"


def test_the_reference_has_each_setting_and_no_other() -> None:
    table = README.partition("## Settings")[2].partition("\n## ")[0]
    documented = re.findall(r"^\| `([\w.]+)` \|", table, re.MULTILINE)
    assert sorted(set(documented) - {"maintenance", "incident", "brokers", "broker.tls", "sinks.NAME.tls"}) == sorted(
        names(Settings)
    )
    assert len(documented) == len(set(documented))


@pytest.mark.parametrize("command", [name for name, where in COMMANDS.items() if where.startswith("service.desk.desk")])
def test_each_command_of_operators_is_documented(command: str) -> None:
    assert f"foresense {command} foresense.yaml" in README
