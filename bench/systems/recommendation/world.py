"""A made-up catalogue for bench/systems/recommendation.ts: FOLDER ITEMS USERS.

Vectors of 64 numbers around 2,000 centres. A user's vector is the sum of 5 to 40 items of two centres over the square
root of their number, which is also what the history graphs compute from the list. Writes items.csv, users.f32,
requests.jsonl, and a model.onnx each in history/ (float32), int8/ (item matrix in int8, a scale per item), user/ (the
vector comes from outside) and update/ (history/ with every item's vector changed a little). Needs NumPy and onnx.
"""
import json
import pathlib
import sys

import numpy as np
from onnx import TensorProto, helper, numpy_helper

WIDTH, K, CENTRES, REQUESTS = 64, 20, 2000, 4000
ITEM_LIMIT = 63  # two products of a uint8 and such an int8 fit int16, in which processors without VNNI add them


class Graph:
    def __init__(self):
        self.nodes, self.constants = [], []

    def constant(self, name, value):
        self.constants.append(numpy_helper.from_array(np.ascontiguousarray(value), name))
        return name

    def node(self, operator, inputs, output, **attributes):
        self.nodes.append(helper.make_node(operator, inputs, output if isinstance(output, list) else [output], **attributes))
        return output

    def write(self, path, inputs):
        declared = [helper.make_tensor_value_info(name, kind, shape) for name, kind, shape in inputs]
        outputs = [helper.make_tensor_value_info("best_scores", TensorProto.FLOAT, ["batch", K]),
                   helper.make_tensor_value_info("best_items", TensorProto.INT64, ["batch", K])]
        graph = helper.make_graph(self.nodes, "made-up", declared, outputs, self.constants)
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 16)])
        model.ir_version = 8
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(model.SerializeToString())


SEEN = [("seen", TensorProto.INT64, ["batch", "items"]), ("mask", TensorProto.FLOAT, ["batch", "items"])]


def history_vector(g, columns, scale=None):
    """[batch, 64]: the columns of the visited items, summed over the square root of their number."""
    g.constant("one", np.float32(1))
    g.constant("last", np.array([-1], np.int64))
    g.node("ReduceSum", ["mask", "last"], "count", keepdims=1)
    g.node("Max", ["count", "one"], "some")
    g.node("Sqrt", ["some"], "root")
    g.node("Div", ["mask", "root"], "share")
    g.node("Gather", [columns, "seen"], "found", axis=1)
    if scale is not None:
        g.node("Cast", ["found"], "found_whole", to=TensorProto.FLOAT)
        g.node("Gather", [scale, "seen"], "found_scale", axis=0)
        g.node("Mul", ["share", "found_scale"], "scaled_share")
    g.node("Mul", ["found" if scale is None else "found_whole", "share" if scale is None else "scaled_share"], "weighted")
    g.node("ReduceSum", ["weighted", "last"], "user_columns", keepdims=0)
    g.node("Transpose", ["user_columns"], "vector", perm=[1, 0])
    return "vector"


def best_unseen(g, scores, items):
    """The filler's column is always left out, the seen ones beside it."""
    g.constant("farthest", np.array([-3e38], np.float32))
    g.constant("filler", np.array([[items]], np.int64))
    g.constant("rows_only", np.array([1, 0], np.int64))
    g.constant("zero", np.int64(0))
    g.node("Shape", ["seen"], "shape")
    g.constant("first", np.array([0], np.int64))
    g.node("Gather", ["shape", "first"], "rows")
    g.constant("one_column", np.array([1], np.int64))
    g.node("Concat", ["rows", "one_column"], "column", axis=0)
    g.node("Expand", ["filler", "column"], "fillers")
    g.node("Concat", ["seen", "fillers"], "left_out", axis=1)
    g.node("Shape", ["left_out"], "left_out_shape")
    g.node("Expand", ["farthest", "left_out_shape"], "low")
    g.node("ScatterElements", [scores, "left_out", "low"], "unseen", axis=1)
    g.constant("k", np.array([K], np.int64))
    g.node("TopK", ["unseen", "k"], ["best_scores", "best_items"], axis=1, largest=1, sorted=1)


def float_graph(path, columns, history):
    g = Graph()
    items = columns.shape[1] - 1
    g.constant("columns", columns)
    vector = history_vector(g, "columns") if history else "user"
    g.node("MatMul", [vector, "columns"], "scores")
    best_unseen(g, "scores", items)
    g.write(path, SEEN if history else [("user", TensorProto.FLOAT, ["batch", WIDTH]), SEEN[0]])


def int8_graph(path, columns):
    """The vector is rounded to 8 bits by its own largest number, so that no answer depends on its batch."""
    g = Graph()
    scale = np.maximum(np.abs(columns).max(0), 1e-12).astype(np.float32) / ITEM_LIMIT
    g.constant("columns", np.round(columns / scale).astype(np.int8))
    g.constant("scale", scale)
    vector = history_vector(g, "columns", "scale")
    g.node("Abs", [vector], "magnitude")
    g.node("ReduceMax", ["magnitude"], "largest", axes=[1], keepdims=1)
    g.constant("smallest", np.float32(1e-12))
    g.node("Max", ["largest", "smallest"], "range")
    g.constant("steps", np.float32(127))
    g.node("Div", ["range", "steps"], "vector_scale")
    g.node("Div", [vector, "vector_scale"], "vector_steps")
    g.node("Round", ["vector_steps"], "vector_rounded")
    g.constant("middle", np.float32(128))
    g.node("Add", ["vector_rounded", "middle"], "vector_shifted")
    g.node("Cast", ["vector_shifted"], "vector_uint8", to=TensorProto.UINT8)
    g.constant("vector_zero", np.uint8(128))
    g.node("MatMulInteger", ["vector_uint8", "columns", "vector_zero"], "products_int32")
    g.node("Cast", ["products_int32"], "products", to=TensorProto.FLOAT)
    # The vector's own scale changes no order; the k best scores get it afterwards.
    g.node("Mul", ["products", "scale"], "scores")
    best_unseen(g, "scores", columns.shape[1] - 1)
    g.nodes[-1].output[0] = "best_unscaled"
    g.node("Mul", ["best_unscaled", "vector_scale"], "best_scores")
    g.write(path, SEEN)


def main(folder, items, users):
    folder = pathlib.Path(folder)
    random = np.random.default_rng(1)
    centres = random.normal(0, 1, (CENTRES, WIDTH)).astype(np.float32)
    centre = random.integers(CENTRES, size=items)
    vectors = 0.7 * centres[centre] + 0.7 * random.normal(0, 1, (items, WIDTH)).astype(np.float32)
    vectors *= np.exp(0.2 * random.normal(0, 1, (items, 1))).astype(np.float32) / 8
    columns = np.concatenate([vectors, np.zeros((1, WIDTH), np.float32)]).T.astype(np.float32)
    float_graph(folder / "history/model.onnx", columns, True)
    float_graph(folder / "user/model.onnx", columns, False)
    int8_graph(folder / "int8/model.onnx", columns)
    changed = columns + random.normal(0, 0.01, columns.shape).astype(np.float32)
    changed[:, -1] = 0
    float_graph(folder / "update/model.onnx", changed, True)
    (folder / "items.csv").write_text("item\n" + "".join(f"item-{i}\n" for i in range(items)))

    by_centre = np.argsort(centre, kind="stable")
    starts = np.searchsorted(centre[by_centre], np.arange(CENTRES + 1))

    def history():
        length = int(random.integers(5, 41))
        of = [by_centre[starts[c]:starts[c + 1]] for c in random.integers(CENTRES, size=2)]
        pool = np.concatenate(of)
        return random.choice(pool, size=min(length, len(pool)), replace=False)

    lists = [history() for _ in range(REQUESTS)]
    with open(folder / "users.f32", "wb") as file:
        for start in range(0, users, 10_000):
            count = min(10_000, users - start)
            block = np.stack([vectors[own].sum(0) / np.sqrt(len(own)) for own in
                              (lists[start + i] if start + i < REQUESTS else
                               by_centre[starts[c]:starts[c + 1]][:20] for i, c in
                               enumerate(random.integers(CENTRES, size=count)))])
            file.write(block.astype(np.float32).tobytes())
    with open(folder / "requests.jsonl", "w") as file:
        for i, own in enumerate(lists):
            file.write(json.dumps({"user": f"user-{i}", "seen": [f"item-{one}" for one in own]}) + "\n")


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
