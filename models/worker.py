"""Worker processes: what each does before its work."""

import signal

from models.quiet import quiet_tensorflow


def begin_work() -> None:
    """Make a process a worker: one thread of TensorFlow, which is quiet, and deaf to Ctrl-C.

    Ctrl-C reaches every process of a terminal, and training would take it for the wish to stop early; what
    started the workers ends them.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    quiet_tensorflow()
    import tensorflow as tf

    tf.config.threading.set_intra_op_parallelism_threads(1)
    tf.config.threading.set_inter_op_parallelism_threads(1)
