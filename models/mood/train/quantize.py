#!/usr/bin/env python3
"""Writes int8/model.onnx from the weights of model.onnx: the same network, its matrix products in int8.

From the repository's root:  python3 models/mood/train/quantize.py
Needs Python 3 with onnx and numpy; takes a second, and the same input gives the same bytes.

The LSTM becomes com.microsoft.DynamicQuantizeLSTM, which takes the range of its activations from whatever is in the
batch, so that a row's answer would depend on its batch mates. Here every range is pinned instead:
- two hidden units per direction stand at +1 and -1 in every step (their gates are saturated by their biases, and no
  other unit listens to them), and h lies in (-1, 1), so that the range of h is always [-1, 1];
- two input channels are constantly +LIMIT and -LIMIT, and the word vectors are clipped to that, so that the range of x is
  always [-LIMIT, LIMIT]; their weights are 0.
What is pooled lies in [-1, 1] too, and the first dense layer takes it at a fixed scale.

Weights have 7 bits: with 8, processors without VNNI add products of u8 and s8 in 16 bits that overflow, and the answer
would depend on the processor.
"""
import argparse
import hashlib
import os
import platform
import shutil

import numpy as np
import onnx
from onnx import TensorProto as T
from onnx import helper, numpy_helper

from export import pool

HERE = os.path.dirname(os.path.abspath(__file__))
MOOD = os.path.dirname(HERE)
LEVELS = 63  # of a weight, either way
KEPT = 0.9999  # share of the word vectors' numbers that LIMIT leaves as they are
SATURATED = 30.0  # sigmoid(30) and tanh(30) are 1 in float32


def quantize(weights):
    """Columns of [rows, columns] -> int8 with one scale each, symmetric."""
    scale = np.maximum(np.abs(weights).max(0), 1e-8) / LEVELS
    return np.round(weights / scale).astype(np.int8), scale.astype(np.float32)


def pinned_lstm(w, r, b, hidden, pin):
    """W, R, B of ONNX's LSTM (gates i, o, f, c) with the two pinned units and input channels, int8 and transposed as
    DynamicQuantizeLSTM wants them: [directions, input, 4 x hidden]."""
    wide = hidden + 2

    def units(m):  # [4 x hidden, ...] -> two rows of zeros after each gate's
        parts = m.reshape(4, hidden, -1)
        return np.concatenate([parts, np.zeros((4, 2, parts.shape[2]), np.float32)], 1).reshape(4 * wide, -1)

    parts = {"w": [], "w_scale": [], "r": [], "r_scale": [], "b": []}
    for side in range(w.shape[0]):
        for name, wanted in (("w", np.pad(units(w[side]), ((0, 0), (0, 2)))), ("r", np.pad(units(r[side]), ((0, 0), (0, 2))))):
            whole, scale = quantize(wanted.T)
            parts[name].append(whole)
            parts[name + "_scale"].append(scale)
        bias = units(b[side][:4 * hidden, None]).reshape(4, wide)
        # i and o open, f open: c starts at +-SATURATED and only grows, h = tanh(c) = +-1.
        bias[:3, hidden:] = SATURATED * pin
        bias[3, hidden:] = [SATURATED * pin, -SATURATED * pin]
        recurrent = units(b[side][4 * hidden:, None]).ravel()
        parts["b"].append(np.concatenate([bias.ravel(), recurrent]))
    return {name: np.stack(value) for name, value in parts.items()}


def build(source, version, pin):
    given = {i.name: numpy_helper.to_array(i) for i in source.graph.initializer}
    w, r = given["lstm_w_f16"].astype(np.float32), given["lstm_r_f16"].astype(np.float32)
    hidden = r.shape[2]
    vectors = given["vectors"].astype(np.float32) * given["vector_scale"]
    limit = np.float32(np.quantile(np.abs(vectors), KEPT))
    lstm = pinned_lstm(w, r, given["lstm_b"], hidden, pin)
    fc1, fc1_scale = quantize(given["fc1_w"].T)
    init, nodes = [], []

    def const(name, value):
        init.append(numpy_helper.from_array(np.ascontiguousarray(value), name))
        return name

    def op(kind, inputs, out, domain="", **attrs):
        nodes.append(helper.make_node(kind, inputs, [out], name=out, domain=domain, **attrs))
        return out

    zeros = lambda name, like: const(name, np.zeros(like.shape, np.int8))
    op("Gather", [const("vectors", given["vectors"]), "input_ids"], "vectors_i8")
    op("Cast", ["vectors_i8"], "vectors_f32", to=T.FLOAT)
    op("Gather", [const("vector_scale", given["vector_scale"]), "input_ids"], "row_scale")
    op("Mul", ["vectors_f32", "row_scale"], "words_raw")
    op("Clip", ["words_raw", const("limit_low", -limit), const("limit_high", limit)], "words")
    op("Transpose", ["words"], "words_tbd", perm=[1, 0, 2])
    op("Pad", ["words_tbd", const("pad_1", np.array([0, 0, 0, 0, 0, 1], np.int64)), const("x_high", limit * pin)], "words_high")
    op("Pad", ["words_high", "pad_1", const("x_low", -limit * pin)], "words_pinned")
    op("ReduceSum", ["attention_mask", const("axis_1", np.array([1], np.int64))], "lengths_i64", keepdims=0)
    op("Cast", ["lengths_i64"], "lengths", to=T.INT32)
    # The pinned units begin pinned; every row of the batch begins alike.
    start = np.zeros((2, 1, hidden + 2), np.float32)
    start[:, :, hidden:] = [pin, -pin]
    op("Shape", ["attention_mask"], "batch", start=0, end=1)
    op("Concat", [const("two", np.array([2], np.int64)), "batch", const("wide", np.array([hidden + 2], np.int64))], "start_shape", axis=0)
    op("Expand", [const("h_start", start), "start_shape"], "h0")
    op("Expand", [const("c_start", start * np.float32(SATURATED)), "start_shape"], "c0")
    op("DynamicQuantizeLSTM", [
        "words_pinned", const("lstm_w", lstm["w"]), const("lstm_r", lstm["r"]), const("lstm_b", lstm["b"]), "lengths", "h0", "c0", "",
        const("lstm_w_scale", lstm["w_scale"]), zeros("lstm_w_zero", lstm["w_scale"]), const("lstm_r_scale", lstm["r_scale"]), zeros("lstm_r_zero", lstm["r_scale"]),
    ], "states_wide", domain="com.microsoft", direction="bidirectional", hidden_size=hidden + 2)
    op("Slice", ["states_wide", const("from_0", np.array([0], np.int64)), const("to_hidden", np.array([hidden], np.int64)), const("axis_3", np.array([3], np.int64))], "states_tdbh")
    op("Transpose", ["states_tdbh"], "states_btdh", perm=[2, 0, 1, 3])
    op("Reshape", ["states_btdh", const("shape", np.array([0, 0, 2 * hidden], np.int64))], "states")
    pool(op, const, given["att_w"])
    op("QuantizeLinear", ["pooled", const("pooled_scale", np.float32(1 / 127)), const("pooled_zero", np.uint8(128))], "pooled_u8")
    op("MatMulIntegerToFloat", [
        "pooled_u8", const("fc1_w", fc1), "pooled_scale", const("fc1_scale", fc1_scale), "pooled_zero", zeros("fc1_zero", fc1_scale), const("fc1_b", given["fc1_b"]),
    ], "fc1", domain="com.microsoft")
    op("Relu", ["fc1"], "relu")
    op("Gemm", ["relu", const("fc2_w", given["fc2_w"]), const("fc2_b", given["fc2_b"])], "logits", transB=1)
    graph = helper.make_graph(nodes, "mood", list(source.graph.input), list(source.graph.output), init)
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 16), helper.make_opsetid("com.microsoft", 1)], producer_name="mood-train")
    made.ir_version = 8
    facts = {p.key: p.value for p in source.metadata_props}
    helper.set_model_props(made, {**facts, "version": version, "quantized": f"int8 weights of 7 bits, ranges {'pinned' if pin else 'of the batch'}"})
    clipped = float((np.abs(vectors) > limit).mean())
    return made, {"limit": float(limit), "clipped": clipped}


def make(source, out, version, unpinned=False):
    """Writes the variant and the tokenizer beside it. Returns lines for a log."""
    with open(source, "rb") as f:
        raw = f.read()
    made, facts = build(onnx.load_model_from_string(raw), version, np.float32(0 if unpinned else 1))
    onnx.checker.check_model(made)
    done = made.SerializeToString()
    os.makedirs(os.path.dirname(out), exist_ok=True)
    with open(out, "wb") as f:
        f.write(done)
    for name in ("tokenizer.json", "tokenizer_config.json"):
        shutil.copyfile(os.path.join(MOOD, name), os.path.join(os.path.dirname(out), name))
    return [
        f"mood int8: python {platform.python_version()}, onnx {onnx.__version__}, numpy {np.__version__}",
        f"from {len(raw)} bytes, sha256 {hashlib.sha256(raw).hexdigest()}",
        f"word vectors clipped at {facts['limit']:.4f}: {facts['clipped']:.6f} of their numbers",
        f"to {len(done)} bytes, sha256 {hashlib.sha256(done).hexdigest()}",
    ]


def main():
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("--source", default=os.path.join(MOOD, "model.onnx"))
    ap.add_argument("--out", default=os.path.join(MOOD, "int8", "model.onnx"))
    ap.add_argument("--version", default="1.1.0")
    ap.add_argument("--unpinned", action="store_true", help="leave the ranges to the batch, to see the gate's batch parity refuse it")
    args = ap.parse_args()
    print("\n".join(make(args.source, args.out, args.version, args.unpinned)))


if __name__ == "__main__":
    main()
