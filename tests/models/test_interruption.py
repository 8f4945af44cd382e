"""A real Ctrl-C, as a terminal sends it, while `foresense train` is at work."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from edge.bundle import read_bundle
from edge.golden import self_test
from models.data.recordings import Recording

ENDLESS = ("--set", "epochs=100000", "--set", "patience=100000", "--set", "schedule=constant")


@pytest.mark.slow
@pytest.mark.timeout(120)
def test_ctrl_c_keeps_the_best_so_far(make_recording: Callable[..., Recording], tmp_path: Path) -> None:
    recording, data = make_recording(), tmp_path / "pump.csv"
    time = pd.to_datetime(recording.slots * recording.interval_ms, unit="ms", utc=True)
    pd.DataFrame({"time": time, "flow": recording.values[:, 0]}).to_csv(data, index=False)
    arguments = ["train", data, "--time", "time", "--channel", "flow", "--family", "mlp", "--out", tmp_path, *ENDLESS]
    shown, terminal = os.openpty()
    script = "from service.cli import main; main()"
    process = subprocess.Popen([sys.executable, "-c", script, *map(str, arguments)], stderr=terminal, stdout=terminal)
    os.close(terminal)
    text = b""
    try:
        while b"held-out error 0." not in text:  # that is once an epoch has been done
            text += os.read(shown, 4096)
        process.send_signal(signal.SIGINT)
        while process.poll() is None:
            text += os.read(shown, 4096)
    except OSError:  # what a terminal gives once nobody writes to it
        process.wait()
    finally:
        process.kill()
        os.close(shown)
    assert process.returncode == 0, text.decode()
    assert b"the best so far is kept" in b" ".join(text.split())
    assert self_test(read_bundle(tmp_path / "pump" / "1")) > 100
