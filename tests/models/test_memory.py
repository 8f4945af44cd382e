"""How much memory reading takes: a small multiple of the slots, not of the text."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

DEVICES, SLOTS, STRETCH = 50, 100_000, 2_000
MOST_MIB = 600
SCRIPT = """
import re, sys
from pathlib import Path
from models.data.recordings import Data, read_recordings
from models.data.sources.files import Files
from models.data.sources.layout import Layout
source = Files(Path(sys.argv[1]), Layout("time", ("value",), "device"))
recordings, account = read_recordings(Data(source, ("value",)))
status = Path("/proc/self/status").read_text()  # ru_maxrss would be the parent's, if that is more
peak_kib = re.search(r"VmHWM:\\s*(\\d+)", status)[1]
print(account.counts.used, int(peak_kib) // 1024)
"""


@pytest.fixture
def large(tmp_path: Path) -> Path:
    """Return a CSV file of 5 million rows, about 200 MB."""
    path = tmp_path / "large.csv"
    with path.open("w") as file:
        file.write("time,device,value\n")
        for first in range(0, SLOTS, STRETCH):
            slot = np.repeat(np.arange(first, first + STRETCH), DEVICES)
            times = np.datetime_as_string((1_700_000_000 + 10 * slot).astype("datetime64[s]"), timezone="UTC").tolist()
            file.writelines(f"{time},pump-{k % DEVICES},{k % 977}.25\n" for k, time in enumerate(times))
    return path


@pytest.mark.slow
@pytest.mark.alone
def test_five_million_rows_of_text_take_little_memory(large: Path) -> None:
    done = subprocess.run([sys.executable, "-c", SCRIPT, str(large)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    used, peak_mib = map(int, done.stdout.split())
    assert used == DEVICES * SLOTS
    assert peak_mib < MOST_MIB
