import subprocess
import sys

import pytest

TELLS = """
import signal, sys
from pathlib import Path
from models.worker import begin_work
begin_work()
print(signal.getsignal(signal.SIGINT) == signal.SIG_IGN, "tensorflow" in sys.modules)
import tensorflow as tf
(tf.ones((9, 9)) @ tf.ones((9, 9))).numpy()
names = [path.read_text().strip() for path in Path("/proc/self/task").glob("*/comm")]
print(names.count("tf_Compute"))
"""


@pytest.mark.slow
def test_a_worker_has_one_thread_is_quiet_and_deaf_to_ctrl_c() -> None:
    done = subprocess.run([sys.executable, "-c", TELLS], capture_output=True, text=True, check=True)
    assert (done.stdout, done.stderr) == ("True False\n1\n", "")
