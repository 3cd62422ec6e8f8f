"""A fitted HistGradientBoostingClassifier as an ONNX graph: TreeEnsembleRegressor, then Sigmoid.

Three things make the difference between the same answers and others:
- the boosting starts from a constant, which goes into `base_values`;
- a split sends missing values left or right, which goes into `nodes_missing_value_tracks_true`;
- thresholds are float64 there and float32 here: the largest float32 that is not above the threshold sends every float32
  the same way. Rounding to the nearest does not. An infinite threshold parts missing values from all others.
"""
import numpy as np
import onnx
from onnx import TensorProto, helper


def _float32_below(threshold):
    """The largest float32 <= threshold."""
    rounded = np.float32(threshold)
    return float(np.nextafter(rounded, np.float32(-np.inf)) if float(rounded) > threshold else rounded)


def contributions(model, row):
    """What each feature adds to the margin of one row along the paths of all trees, from scikit-learn's own nodes.

    An inner node is worth the mean of its leaves, weighted by the training rows that fell into them (its own `value` lacks
    the learning rate). A split adds what the child on the path is worth more than the node to the split's feature
    (Saabas 2014). @returns the margin before any split, and one number a feature; together they are the row's margin.
    """
    start = float(np.ravel(model._baseline_prediction)[0])
    added = np.zeros(len(row))
    for (predictor,) in model._predictors:
        nodes = predictor.nodes

        def worth(number):
            node = nodes[number]
            if node["is_leaf"]:
                return float(node["value"]), int(node["count"])
            (left, many), (right, others) = worth(node["left"]), worth(node["right"])
            return (left * many + right * others) / (many + others), many + others

        number = 0
        start += worth(0)[0]
        while not nodes[number]["is_leaf"]:
            node = nodes[number]
            value = row[node["feature_idx"]]
            left = node["missing_go_to_left"] if np.isnan(value) else value <= node["num_threshold"]
            child = int(node["left"] if left else node["right"])
            added[node["feature_idx"]] += worth(child)[0] - worth(number)[0]
            number = child
    return start, added


def to_onnx(model, features, name, producer, hitrates=False):
    """Graph: `features` float32 [batch, features] -> `probability` float32 [batch, 1] of the second class.

    `hitrates`: with the training rows of each node, from which Sluice computes reasons.
    """
    nodes = {key: [] for key in ("treeids", "nodeids", "featureids", "modes", "values", "truenodeids", "falsenodeids", "missing", "hitrates")}
    leaves = {key: [] for key in ("treeids", "nodeids", "weights")}
    for tree, (predictor,) in enumerate(model._predictors):
        for number, node in enumerate(predictor.nodes):
            leaf = bool(node["is_leaf"])
            nodes["treeids"].append(tree)
            nodes["nodeids"].append(number)
            nodes["featureids"].append(0 if leaf else int(node["feature_idx"]))
            nodes["modes"].append("LEAF" if leaf else "BRANCH_LEQ")
            nodes["values"].append(0.0 if leaf else _float32_below(float(node["num_threshold"])))
            nodes["truenodeids"].append(0 if leaf else int(node["left"]))
            nodes["falsenodeids"].append(0 if leaf else int(node["right"]))
            nodes["missing"].append(0 if leaf else int(node["missing_go_to_left"]))
            nodes["hitrates"].append(float(node["count"]))
            if leaf:
                leaves["treeids"].append(tree)
                leaves["nodeids"].append(number)
                leaves["weights"].append(float(node["value"]))
    ensemble = helper.make_node(
        "TreeEnsembleRegressor", ["features"], ["margin"], domain="ai.onnx.ml", n_targets=1, aggregate_function="SUM",
        post_transform="NONE", base_values=[float(np.ravel(model._baseline_prediction)[0])],
        nodes_treeids=nodes["treeids"], nodes_nodeids=nodes["nodeids"], nodes_featureids=nodes["featureids"],
        nodes_modes=nodes["modes"], nodes_values=nodes["values"], nodes_truenodeids=nodes["truenodeids"],
        nodes_falsenodeids=nodes["falsenodeids"], nodes_missing_value_tracks_true=nodes["missing"],
        target_treeids=leaves["treeids"], target_nodeids=leaves["nodeids"], target_ids=[0] * len(leaves["treeids"]),
        target_weights=leaves["weights"], **({"nodes_hitrates": nodes["hitrates"]} if hitrates else {}))
    graph = helper.make_graph(
        [ensemble, helper.make_node("Sigmoid", ["margin"], ["probability"])], name,
        [helper.make_tensor_value_info("features", TensorProto.FLOAT, ["batch", features])],
        [helper.make_tensor_value_info("probability", TensorProto.FLOAT, ["batch", 1])])
    exported = helper.make_model(
        graph, producer_name=producer, opset_imports=[helper.make_opsetid("", 16), helper.make_opsetid("ai.onnx.ml", 3)])
    exported.ir_version = 8
    onnx.checker.check_model(exported)
    return exported.SerializeToString()
