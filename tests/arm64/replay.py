"""What the engine says of the golden readings of bundles, on the machine that executes this.

    python replay.py BUNDLES OUT RUNTIME...

It needs only what a device has. OUT receives RUNTIME/FAMILY.npz with the columns of the verdicts.
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
from edge.runtimes import open_runtime


def replay(path: Path, runtime: str) -> Verdicts:
    """Return the verdicts of a new engine on the golden readings of a bundle."""
    bundle = read_bundle(path)
    with np.load(BytesIO(bundle.files[GOLDEN]), allow_pickle=False) as golden:
        names = golden["names"].tolist()
        readings = Readings(*(golden[f"reading_{each.name}"] for each in fields(Readings)))
    engine = open_engine(bundle, runtime=open_runtime(bundle.files, runtime))
    engine.add(names)
    return engine.feed(readings)


def main() -> None:
    bundles, out, runtimes = Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3:]
    for runtime in runtimes:
        (out / runtime).mkdir(parents=True)
        for path in sorted(bundles.glob("*/1")):
            verdicts = replay(path, runtime)
            columns = {each.name: getattr(verdicts, each.name) for each in fields(Verdicts)}
            np.savez(out / runtime / path.parent.name, **columns)
    print(platform.machine())


if __name__ == "__main__":
    main()
