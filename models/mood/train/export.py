"""Writes the network as one ONNX file: opset 16, int8 word vectors with a scale per row, fp16 LSTM weights."""
import numpy as np
import onnx
from onnx import TensorProto as T
from onnx import helper, numpy_helper


def pool(op, const, att_w):
    """states [batch, time, 2 x hidden] -> pooled [batch, 4 x hidden]: the largest and the attention's mean, without padding."""
    op("Cast", ["attention_mask"], "mask_bt", to=T.FLOAT)
    op("Unsqueeze", ["mask_bt", const("axis_2", np.array([2], np.int64))], "mask")
    op("Sub", ["mask", const("one", np.array(1, np.float32))], "gone")
    op("Mul", ["gone", const("ten", np.array(10, np.float32))], "minus_ten")
    op("Add", ["states", "minus_ten"], "states_masked")
    op("ReduceMax", ["states_masked"], "best", axes=[1], keepdims=0)
    op("MatMul", ["states", const("att_w", att_w)], "score_raw")
    op("Mul", ["gone", const("huge", np.array(1e4, np.float32))], "minus_huge")
    op("Add", ["score_raw", "minus_huge"], "score")
    op("Softmax", ["score"], "weight", axis=1)
    op("Mul", ["states", "weight"], "weighted")
    op("ReduceSum", ["weighted", "axis_1"], "mean", keepdims=0)
    op("Concat", ["best", "mean"], "pooled", axis=1)


def export(model, temperature, path, metadata):
    p = {k: v.detach().numpy() for k, v in model.state_dict().items()}
    hidden = p["lstm.weight_hh_l0"].shape[1]
    emb = p["emb.weight"]
    scale = np.maximum(np.abs(emb).max(1, keepdims=True), 1e-8) / 127
    init, nodes = [], []

    def const(name, value):
        init.append(numpy_helper.from_array(np.ascontiguousarray(value), name))
        return name

    def op(kind, inputs, out, **attrs):
        nodes.append(helper.make_node(kind, inputs, [out], name=out, **attrs))
        return out

    def half(name, value):
        return op("Cast", [const(name + "_f16", value.astype(np.float16))], name, to=T.FLOAT)

    def iofc(m):  # torch orders the gates i f g o, ONNX i o f g
        i, f, g, o = np.split(m, 4)
        return np.concatenate([i, o, f, g])

    sides = ["", "_reverse"]
    w = np.stack([iofc(p[f"lstm.weight_ih_l0{s}"]) for s in sides])
    r = np.stack([iofc(p[f"lstm.weight_hh_l0{s}"]) for s in sides])
    b = np.stack([np.concatenate([iofc(p[f"lstm.bias_ih_l0{s}"]), iofc(p[f"lstm.bias_hh_l0{s}"])]) for s in sides])

    op("Gather", [const("vectors", np.round(emb / scale).astype(np.int8)), "input_ids"], "vectors_i8")
    op("Cast", ["vectors_i8"], "vectors_f32", to=T.FLOAT)
    op("Gather", [const("vector_scale", scale.astype(np.float32)), "input_ids"], "row_scale")
    op("Mul", ["vectors_f32", "row_scale"], "words")
    op("Transpose", ["words"], "words_tbd", perm=[1, 0, 2])
    op("ReduceSum", ["attention_mask", const("axis_1", np.array([1], np.int64))], "lengths_i64", keepdims=0)
    op("Cast", ["lengths_i64"], "lengths", to=T.INT32)
    op("LSTM", ["words_tbd", half("lstm_w", w), half("lstm_r", r), const("lstm_b", b), "lengths"], "states_tdbh",
       direction="bidirectional", hidden_size=hidden)
    op("Transpose", ["states_tdbh"], "states_btdh", perm=[2, 0, 1, 3])
    op("Reshape", ["states_btdh", const("shape", np.array([0, 0, 2 * hidden], np.int64))], "states")
    pool(op, const, p["att.weight"].T)
    op("Gemm", ["pooled", const("fc1_w", p["fc1.weight"]), const("fc1_b", p["fc1.bias"])], "fc1", transB=1)
    op("Relu", ["fc1"], "relu")
    op("Gemm", ["relu", const("fc2_w", p["fc2.weight"] / np.float32(temperature)),
                const("fc2_b", p["fc2.bias"] / np.float32(temperature))], "logits", transB=1)
    graph = helper.make_graph(
        nodes, "mood",
        [helper.make_tensor_value_info("input_ids", T.INT64, ["batch", "sequence"]),
         helper.make_tensor_value_info("attention_mask", T.INT64, ["batch", "sequence"])],
        [helper.make_tensor_value_info("logits", T.FLOAT, ["batch", 2])], init)
    onnx_model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 16)], producer_name="mood-train")
    onnx_model.ir_version = 8
    helper.set_model_props(onnx_model, metadata)
    onnx.checker.check_model(onnx_model, full_check=True)
    onnx.save(onnx_model, path)
