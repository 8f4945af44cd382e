"""`foresense families`: what there is to choose from. It needs no TensorFlow."""

import json

import click

from models.families import FAMILIES
from models.spec import ForecasterSpec

_WIDTHS = ("<11", "<9", "<10", "<12", "<5", "<7", "<7", ">6", ">7")


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object, the families by name.")
def families(as_json: bool) -> None:
    """List the families of forecasters: the networks, and the baselines they must beat.

    Units and memory (numbers of 4 bytes a stream) are those of the default settings for one channel; what a reading
    costs is a step or a whole window. int8: what is computed in whole numbers, all or the weights alone.
    """
    facts = {name: _facts(name) for name in FAMILIES}
    if as_json:
        click.echo(json.dumps(facts))
        return
    click.echo(_row("family", "kind", "costs", "fitted", "ONNX", "TFLite", "int8", "units", "memory") + "forecasts by")
    for name, each in facts.items():
        cost = "O(1)" if each["streams"] else "O(window)"
        cells = (name, each["kind"], cost, each["fitted"], "yes", "yes", each["int8"], each["units"] or "")
        click.echo(_row(*cells, each["memory"]) + str(each["about"]))


def _facts(name: str) -> dict[str, object]:
    """Return what is known of a family, JSON-ready."""
    family, spec = FAMILIES[name], ForecasterSpec(family=name).sized(1)
    return {
        "about": family.about,
        "kind": family.kind,
        "streams": family.streams,
        "fitted": family.fitted,
        "onnx": True,
        "tflite": True,
        "int8": "weights" if family.loops else "full",
        "units": spec.units,
        "memory": spec.memory(1),
        "settings": sorted({*family.fields, "horizon"}),
    }


def _row(*cells: object) -> str:
    return "".join(f"{cell:{width}}" for cell, width in zip(map(str, cells), _WIDTHS, strict=True)) + "  "
