import subprocess
import sys

TELLS = """
import signal
from models.worker import begin_work
begin_work()
import tensorflow as tf
print(signal.getsignal(signal.SIGINT) == signal.SIG_IGN)
print(tf.config.threading.get_intra_op_parallelism_threads(), tf.config.threading.get_inter_op_parallelism_threads())
"""


def test_a_worker_has_one_thread_is_quiet_and_deaf_to_ctrl_c() -> None:
    done = subprocess.run([sys.executable, "-c", TELLS], capture_output=True, text=True, check=True)
    assert (done.stdout, done.stderr) == ("True\n1 1\n", "")
