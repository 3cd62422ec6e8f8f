"""The three graphs: visited pages, as rows of items.csv and a mask, to the best pages that are not among them."""
import numpy as np
from onnx import TensorProto, helper, numpy_helper

K = 20
FARTHEST = -3e38


class Graph:
    """Collects nodes and constants. Opset 16."""

    def __init__(self, name):
        self.name, self.nodes, self.constants = name, [], {}

    def constant(self, name, value):
        self.constants[name] = numpy_helper.from_array(np.ascontiguousarray(value), name)
        return name

    def node(self, operator, inputs, output, **attributes):
        self.nodes.append(helper.make_node(operator, inputs, output if isinstance(output, list) else [output], **attributes))
        return output

    def model(self):
        inputs = [helper.make_tensor_value_info("visited", TensorProto.INT64, ["batch", "pages"]),
                  helper.make_tensor_value_info("mask", TensorProto.FLOAT, ["batch", "pages"])]
        outputs = [helper.make_tensor_value_info("best_scores", TensorProto.FLOAT, ["batch", K]),
                   helper.make_tensor_value_info("best_items", TensorProto.INT64, ["batch", K])]
        graph = helper.make_graph(self.nodes, self.name, inputs, outputs, list(self.constants.values()))
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 16)], producer_name="train.py")
        model.ir_version = 8
        return model


def with_filler(rows):
    """One more row after the last item: that of the filler of short lists."""
    return np.concatenate([rows, np.zeros_like(rows[:1])])


def weights_of_history(g, power):
    """[batch, pages, 1]: the mask over the number of visited pages to the power."""
    g.constant("one", np.float32(1))
    g.constant("last", np.array([1], np.int64))
    g.node("ReduceSum", ["mask", "last"], "count", keepdims=1)
    g.node("Max", ["count", "one"], "some")
    g.constant("power", np.float32(power))
    g.node("Pow", ["some", "power"], "divisor")
    g.node("Div", ["mask", "divisor"], "share")
    g.constant("depth", np.array([2], np.int64))
    return g.node("Unsqueeze", ["share", "depth"], "shares")


def best_unseen(g, scores, items):
    """TopK over the whole catalogue. Seen pages and the filler's column (row `items`) get the lowest score first."""
    g.constant("farthest", np.array([FARTHEST], np.float32))
    g.node("Shape", ["visited"], "shape")
    g.node("Expand", ["farthest", "shape"], "low")
    g.node("ScatterElements", [scores, "visited", "low"], "unseen", axis=1)
    g.constant("first", np.array([0], np.int64))
    g.constant("end", np.array([items], np.int64))
    g.node("Slice", ["unseen", "first", "end", "last"], "catalogue")
    g.constant("k", np.array([K], np.int64))
    g.node("TopK", ["catalogue", "k"], ["best_scores", "best_items"], axis=1, largest=1, sorted=1)
    return g.model()


def history_graph(p, power):
    g = Graph("history")
    items = len(p["bias"])
    g.constant("history", with_filler(p["history"]))
    g.node("Gather", ["history", "visited"], "pages")
    g.node("Mul", ["pages", weights_of_history(g, power)], "weighted")
    g.node("ReduceSum", ["weighted", "last"], "user", keepdims=0)
    g.constant("item", with_filler(p["item"]).T)
    g.node("MatMul", ["user", "item"], "products")
    g.constant("bias", with_filler(p["bias"]))
    g.node("Add", ["products", "bias"], "scores")
    return best_unseen(g, "scores", items)


def popularity_graph(popular):
    """The same scores for everybody; the mask only says how many rows there are."""
    g = Graph("popularity")
    items = len(popular)
    g.constant("one_axis", np.array([1], np.int64))
    g.constant("zero", np.float32(0))
    g.constant("last", np.array([1], np.int64))
    g.node("ReduceSum", ["mask", "one_axis"], "count", keepdims=1)
    g.node("Mul", ["count", "zero"], "nothing")
    g.constant("popular", with_filler(popular)[None, :])
    g.node("Add", ["nothing", "popular"], "scores")
    return best_unseen(g, "scores", items)


def rounded(rows, limit):
    """int8 rows and their scales: row = int8 * scale, with the largest magnitude at `limit`."""
    scale = np.maximum(np.abs(rows).max(1, keepdims=True), 1e-12).astype(np.float32) / limit
    return np.round(rows / scale).astype(np.int8), scale.astype(np.float32)


# Sums of two products of a uint8 and an int8 stay within int16 up to 63 (2 * 255 * 63 < 32768): processors without VNNI
# add two products in int16 and saturate.
ITEM_LIMIT = 63


def quantized(p):
    """The weights as the int8 graph has them."""
    history, history_scale = rounded(p["history"], 127)
    item, item_scale = rounded(p["item"], ITEM_LIMIT)
    return {"history": history * history_scale, "item": item * item_scale, "bias": p["bias"]}


def int8_graph(p, power):
    """Both matrices in int8, with a scale per page. The user vector is rounded to 8 bits with a scale of its own row, so
    that an answer does not depend on the other rows of its batch."""
    g = Graph("history-int8")
    items = len(p["bias"])
    history, history_scale = rounded(with_filler(p["history"]), 127)
    g.constant("history", history)
    g.constant("history_scale", history_scale)
    g.node("Gather", ["history", "visited"], "pages_int8")
    g.node("Cast", ["pages_int8"], "pages_whole", to=TensorProto.FLOAT)
    g.node("Gather", ["history_scale", "visited"], "page_scales")
    g.node("Mul", ["page_scales", weights_of_history(g, power)], "scaled_shares")
    g.node("Mul", ["pages_whole", "scaled_shares"], "weighted")
    g.node("ReduceSum", ["weighted", "last"], "user", keepdims=0)

    g.node("Abs", ["user"], "magnitude")
    g.node("ReduceMax", ["magnitude"], "largest", axes=[1], keepdims=1)
    g.constant("smallest", np.float32(1e-12))
    g.node("Max", ["largest", "smallest"], "range")
    g.constant("steps", np.float32(127))
    g.node("Div", ["range", "steps"], "user_scale")
    g.node("Div", ["user", "user_scale"], "user_steps")
    g.node("Round", ["user_steps"], "user_rounded")
    g.constant("middle", np.float32(128))
    g.node("Add", ["user_rounded", "middle"], "user_shifted")
    g.node("Cast", ["user_shifted"], "user_uint8", to=TensorProto.UINT8)

    item, item_scale = rounded(with_filler(p["item"]), ITEM_LIMIT)
    g.constant("item", item.T)
    g.constant("item_scale", item_scale.T)
    g.constant("user_zero", np.uint8(128))
    g.node("MatMulInteger", ["user_uint8", "item", "user_zero"], "products_int32")
    g.node("Cast", ["products_int32"], "products_whole", to=TensorProto.FLOAT)
    g.node("Mul", ["products_whole", "item_scale"], "products_item")
    g.node("Mul", ["products_item", "user_scale"], "products")
    g.constant("bias", with_filler(p["bias"]))
    g.node("Add", ["products", "bias"], "scores")
    return best_unseen(g, "scores", items)
