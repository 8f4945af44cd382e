"""TFLite models of one line, converted when a test asks for them."""

from collections.abc import Callable
from typing import Any

import pytest

MakeModel = Callable[..., bytes]


@pytest.fixture(scope="session")
def make_model() -> MakeModel:
    """Return a maker of TFLite models from a step of TensorFlow, with so many inputs and so much memory."""
    from models.quiet import quiet_tensorflow

    quiet_tensorflow()
    import tensorflow as tf

    def make(
        step: Callable[[Any, Any], Any],
        inputs: int = 2,
        memory: int = 2,
        rows: int | None = None,
        *,
        flex: bool = False,
    ) -> bytes:
        signature = [tf.TensorSpec([rows, size], name=name) for name, size in (("x", inputs), ("memory", memory))]
        function = tf.function(step, input_signature=signature).get_concrete_function()
        converter = tf.lite.TFLiteConverter.from_concrete_functions([function])
        converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS]
        if flex:
            converter.target_spec.supported_ops.append(tf.lite.OpsSet.SELECT_TF_OPS)
        return bytes(converter.convert())

    return make
