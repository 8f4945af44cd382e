"""What the engine says of the golden readings of bundles, on the machine and in the runtime that execute this.

    python replay.py BUNDLES OUT

It needs only what a device has. OUT receives FAMILY.npz with the columns of the verdicts.
"""

import platform
import sys
from dataclasses import fields
from io import BytesIO
from pathlib import Path

import numpy as np

from edge.bundle import GOLDEN, read_bundle
from edge.engine import open_engine
from edge.reading import Readings, Verdicts


def replay(path: Path) -> Verdicts:
    """Return the verdicts of a new engine on the golden readings of a bundle."""
    bundle = read_bundle(path)
    with np.load(BytesIO(bundle.files[GOLDEN]), allow_pickle=False) as golden:
        names = golden["names"].tolist()
        readings = Readings(*(golden[f"reading_{each.name}"] for each in fields(Readings)))
    engine = open_engine(bundle)
    engine.add(names)
    return engine.feed(readings)


def main() -> None:
    bundles, out = Path(sys.argv[1]), Path(sys.argv[2])
    out.mkdir()
    for path in sorted(bundles.glob("*/1")):
        verdicts = replay(path)
        columns = {each.name: getattr(verdicts, each.name) for each in fields(Verdicts)}
        np.savez(out / path.parent.name, **columns)
    print(platform.machine())


if __name__ == "__main__":
    main()
