"""Conversion: from a forecaster's step to a TFLite model of builtin operators alone.

What converts is not yet what runs on a device: an operator of TensorFlow proper (Flex) or one that somebody has to
register is converted without a word, and there it is missing. So the operators are listed and such are refused.
"""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import tensorflow as tf
from tensorflow.lite.python import schema_py_generated as schema
from tensorflow.lite.tools import flatbuffer_utils

from edge.bundle import STEP_TFLITE
from edge.errors import BundleError
from models.families import FAMILIES
from models.forecaster import Forecaster

_NAMES = {code: name for name, code in vars(schema.BuiltinOperator).items() if isinstance(code, int)}


def export_tflite(forecaster: Forecaster) -> bytes:
    """Return the step in single precision: x, memory -> forecast, width if it has one, memory, in this order.

    The number of rows is 1, and free but for a step with a loop.
    """
    return convert(converter_of(forecaster))


def convert(converter: Any, file: str = STEP_TFLITE) -> bytes:
    """Return what a converter makes; BundleError if it cannot, or if an operator is not builtin."""
    try:
        model = bytes(converter.convert())
    except Exception as error:  # the converter raises classes that share no base of their own
        reason = (str(error).strip().splitlines() or [type(error).__name__])[0]
        raise BundleError(f"{file}: expected a step of builtin operators, got: {reason}") from error
    operators(model, file)
    return model


def converter_of(forecaster: Forecaster) -> Any:
    """Return TensorFlow's converter of the step.

    Given the Keras model beside its function it converts to something that answers NaN, so it is given the function.
    """
    step = forecaster.trace_step(1) if FAMILIES[forecaster.spec.family].loops else forecaster.traced_step
    with _quiet():
        converter = tf.lite.TFLiteConverter.from_concrete_functions([step.get_concrete_function()])
    converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS]
    return converter


def operators(model: bytes, file: str) -> tuple[str, ...]:
    """Return the operators of a TFLite model, in order of their names; BundleError if one is not builtin."""
    try:
        read = flatbuffer_utils.convert_bytearray_to_object(bytearray(model))
        codes = [(max(each.builtinCode, each.deprecatedBuiltinCode), each.customCode) for each in read.operatorCodes]
    except Exception as error:  # a reader of flatbuffers that raises whatever a wrong offset leads to
        raise BundleError(f"{file}: expected a TFLite model, got something else: {error}") from error
    if foreign := sorted(custom.decode("utf-8", "replace") for _, custom in codes if custom):
        raise BundleError(f"{file}: expected builtin operators, which every device has, got {', '.join(foreign)}")
    return tuple(sorted({_NAMES[code] for code, _ in codes}))


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep the converter from telling, each time, that it takes a function without its model."""
    logger = logging.getLogger("absl")
    before = logger.level
    logger.setLevel(logging.ERROR)
    try:
        yield
    finally:
        logger.setLevel(before)
