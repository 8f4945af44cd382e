"""BiGRU: one GRU reads the window forwards, one backwards (Schuster and Paliwal 1997)."""

from models.families.bidirectional import both_ways
from models.families.gru import cells
from models.families.window import Windowed
from models.spec import ForecasterSpec


def body(spec: ForecasterSpec, channels: int) -> Windowed:  # noqa: ARG001
    """Return layers of U units in each direction."""
    return both_ways("bigru", cells, spec)
