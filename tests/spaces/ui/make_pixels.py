"""Writes pixels.onnx: the mean of each colour channel of an 8×8 image, and the mean of all.

    /usr/bin/python3 tests/spaces/ui/make_pixels.py      # needs onnx; deterministic
"""
import pathlib

import onnx
from onnx import TensorProto, helper

FLOAT = TensorProto.FLOAT
graph = helper.make_graph(
    [
        helper.make_node("ReduceMean", ["pixels"], ["channels"], axes=[2, 3], keepdims=0),
        helper.make_node("ReduceMean", ["channels"], ["brightness"], axes=[1], keepdims=1),
    ],
    "pixels",
    [helper.make_tensor_value_info("pixels", FLOAT, ["batch", 3, 8, 8])],
    [helper.make_tensor_value_info("channels", FLOAT, ["batch", 3]), helper.make_tensor_value_info("brightness", FLOAT, ["batch", 1])],
)
model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 16)], producer_name="sluice-fixtures")
model.ir_version = 8
onnx.checker.check_model(model)
onnx.save(model, pathlib.Path(__file__).parent / "pixels.onnx")
