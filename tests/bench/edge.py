"""What a device pays: a start, memory, and the processor's time for a reading, with the real `foresense edge run`.

The agent has LiteRT, mosquitto as its broker, and an LSTM(32) with the weights that training begins with, which changes
no cost. Its one stream comes from standard input, a reading a slot, each given when the verdict on the one before has
been heard: as on a device, where they come seconds apart and never many at once.

`start_s` is from the start of the process to its first verdict at a subscriber. `rss_mb_per_bundle` is what each
further LSTM(32) with its own stream adds. `gain_over_window` is how many times more of the processor a reading costs in
a loop that does nothing but have the same runtime run the same LSTM over the last 64 slots.

    python tests/bench/edge.py [--json] [--short]
"""

import sys
from importlib import import_module
from pathlib import Path

FOLDER = Path(__file__).resolve().parent

# Scripts of this folder look here first for the package whose name this file has; so here is looked last, and the
# package takes this file's place where it was found in place of it.
sys.path.sort(key=lambda each: Path(each).resolve() == FOLDER)
if __name__ == "edge":
    del sys.modules[__name__]
    import_module(__name__)


def main() -> None:
    from tests.bench.engine import report
    from tests.bench.load.device import measure

    report(measure(readings=500 if "--short" in sys.argv[1:] else 5000))


if __name__ == "__main__":
    main()
