"""TensorFlow's own messages, which tell the user nothing."""

import logging
import os


def quiet_tensorflow() -> None:
    """Keep TensorFlow from writing to stderr; it must be called before TensorFlow is imported.

    oneDNN is announced wherever it is on; networks of this size train as fast without it.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "0")
    logging.getLogger("tensorflow").setLevel(logging.ERROR)  # it warns of graphs made anew, one a forecaster trained
