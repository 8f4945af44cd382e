"""`foresense families`: what there is to choose from. It needs no TensorFlow."""

import json

import click

from models.families import FAMILIES
from models.spec import ForecasterSpec


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object, the families by name.")
def families(as_json: bool) -> None:
    """List the families of forecasters: the networks, and the baselines they must beat.

    Units and memory (numbers of 4 bytes a stream) are those of the default settings for one channel.
    """
    facts = {name: _facts(name) for name in FAMILIES}
    if as_json:
        click.echo(json.dumps(facts))
        return
    click.echo(_row("family", "kind", "a reading costs", "fitted", "ONNX", "units", "memory") + "forecasts by")
    for name, each in facts.items():
        cost = "O(1)" if each["streams"] else "O(window)"
        cells = (name, each["kind"], cost, each["fitted"], "yes", each["units"] or "", each["memory"])
        click.echo(_row(*cells) + str(each["about"]))


def _facts(name: str) -> dict[str, object]:
    """Return what is known of a family, JSON-ready."""
    family, spec = FAMILIES[name], ForecasterSpec(family=name).sized(1)
    return {
        "about": family.about,
        "kind": family.kind,
        "streams": family.streams,
        "fitted": family.fitted,
        "onnx": True,
        "units": spec.units,
        "memory": spec.memory(1),
        "settings": sorted({*family.fields, "horizon"}),
    }


def _row(name: object, kind: object, cost: object, fitted: object, onnx: object, units: object, memory: object) -> str:
    return f"{name:<12}{kind:<10}{cost:<17}{fitted:<13}{onnx:<6}{units:>5}{memory:>8}  "
