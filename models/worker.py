"""Worker processes: what each does before its work."""

import os
import signal

from models.quiet import quiet_tensorflow


def begin_work() -> None:
    """Make a process a worker: one thread of TensorFlow, which is quiet, and deaf to Ctrl-C.

    It must be called before TensorFlow is imported, and leaves it to the work whether that is at all. Ctrl-C reaches
    every process of a terminal, and training would take it for the wish to stop early; what started the workers
    ends them.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    quiet_tensorflow()
    os.environ["TF_NUM_INTRAOP_THREADS"] = os.environ["TF_NUM_INTEROP_THREADS"] = "1"
