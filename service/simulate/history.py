"""A history of the plant as a CSV file, to train on."""

import csv
from itertools import takewhile
from math import isfinite
from pathlib import Path

from edge.errors import DataError
from edge.messages.stamp import iso
from service.simulate.plant import Plant
from service.simulate.pumps import CHANNELS


def write_csv(plant: Plant, start: int, end: int, path: Path) -> int:
    """Write what is sent from `start` to before `end`, UTC epoch ms, a row a pump and slot; return how many rows."""
    rows = 0
    try:
        with path.open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(["time", "pump", *CHANNELS])
            for slot in takewhile(lambda slot: slot.time < end, plant.run(start)):
                for name, values in zip(plant.names, slot.values.tolist(), strict=True):
                    if isfinite(values[0]):  # else it is silent
                        writer.writerow([iso(slot.time), name, *values])
                        rows += 1
    except OSError as error:
        raise DataError(f"{path}: expected a file that can be written, got: {error.strerror}") from error
    return rows
