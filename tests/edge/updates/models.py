"""Step models that are bad for a device."""

from collections.abc import Sequence

from onnx import NodeProto, TensorProto, helper


def endless_model() -> bytes:
    """Return a step of one channel that never comes to an end."""
    flag = helper.make_tensor_value_info("flag", TensorProto.BOOL, [])
    on = helper.make_tensor_value_info("on", TensorProto.BOOL, [])
    turn = helper.make_tensor_value_info("turn", TensorProto.INT64, [])
    carried = [helper.make_tensor_value_info(name, TensorProto.FLOAT, ["n", 1]) for name in ("kept", "kept_on")]
    body = helper.make_graph(
        [helper.make_node("Identity", ["flag"], ["on"]), helper.make_node("Neg", ["kept"], ["kept_on"])],
        "body",
        [turn, flag, carried[0]],
        [on, carried[1]],
    )
    loop = helper.make_node("Loop", ["turns", "true", "x"], ["memory_out"], body=body)
    turns = helper.make_tensor("turns", TensorProto.INT64, [], [2**62])
    true = helper.make_tensor("true", TensorProto.BOOL, [], [True])
    return _step([loop], [turns, true])


def greedy_model() -> bytes:
    """Return a step of one channel that wants 64 GB."""
    shape = helper.make_tensor("shape", TensorProto.INT64, [2], [2**17, 2**17])
    one = helper.make_tensor("one", TensorProto.FLOAT, [1], [1.0])
    nodes = [
        helper.make_node("ConstantOfShape", ["shape"], ["much"], value=one),
        helper.make_node("ReduceMax", ["much"], ["most"], keepdims=0),
        helper.make_node("Mul", ["x", "most"], ["memory_out"]),
    ]
    return _step(nodes, [shape])


def nan_model() -> bytes:
    """Return a step of one channel that forecasts no number."""
    nan = helper.make_tensor("nan", TensorProto.FLOAT, [1], [float("nan")])
    return _step([helper.make_node("Mul", ["x", "nan"], ["memory_out"])], [nan])


def _step(nodes: Sequence[NodeProto], constants: Sequence[TensorProto]) -> bytes:
    """Return a model whose forecast is its memory."""
    axis = helper.make_tensor("axis", TensorProto.INT64, [1], [1])
    given = [helper.make_tensor_value_info(name, TensorProto.FLOAT, ["n", 1]) for name in ("x", "memory")]
    told = [
        helper.make_tensor_value_info("forecast", TensorProto.FLOAT, ["n", 1, 1]),
        helper.make_tensor_value_info("memory_out", TensorProto.FLOAT, ["n", 1]),
    ]
    nodes = [*nodes, helper.make_node("Unsqueeze", ["memory_out", "axis"], ["forecast"])]
    graph = helper.make_graph(nodes, "bad", given, told, [*constants, axis])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    return bytes(model.SerializeToString())
