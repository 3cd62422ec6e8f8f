#!/usr/bin/python3
"""Trains recommendation: the pages that a visitor will want, from those already seen.

    OPENBLAS_NUM_THREADS=1 python3 models/recommendation/train/train.py > models/recommendation/train/train.log

Reads items.csv and data/visits.csv; reads data/eval.jsonl once, at the end, to report. Needs Python 3.11, NumPy 1.24 and
onnx 1.12 (on Debian: apt-get install python3-numpy python3-onnx). Writes model.onnx (1.1.0, the history model),
production/model.onnx (1.0.0, popularity), int8/model.onnx (1.1.0 with both matrices in int8), their digests into the
three model.yaml files, and train/metrics.json and train/reference.json.
"""
import csv
import hashlib
import json
import pathlib
import re
import shutil
import time

import numpy as np
import onnx

from graphs import history_graph, int8_graph, popularity_graph, quantized
from peers import ease, implicit_als, item_knn

TRAIN = pathlib.Path(__file__).resolve().parent
MODEL = TRAIN.parent
SEED = 19980201
VALIDATION = 3000
BATCH = 512
WIDTH = 64
EPOCHS = 12
SETTINGS = [{"power": power, "rate": rate, "decay": decay}
            for power in (0.5, 1.0) for rate in (0.003, 0.01) for decay in (0.0, 0.03)]
PEERS = [
    ("item kNN, cosine", item_knn, [{"neighbours": 20}, {"neighbours": 100}]),
    ("EASE", ease, [{"penalty": 10.0}, {"penalty": 30.0}, {"penalty": 100.0}]),
    ("implicit ALS", implicit_als, [{"width": width, "alpha": alpha, "penalty": penalty}
                                    for width in (16, 32) for alpha, penalty in ((1.0, 30.0), (10.0, 100.0), (10.0, 300.0))]),
]


def read():
    with open(MODEL / "items.csv", newline="") as file:
        ids = [row["page"] for row in csv.DictReader(file)]
    with open(MODEL / "data/visits.csv", newline="") as file:
        visits = [list(map(int, row["pages"].split())) for row in csv.DictReader(file)]
    return ids, visits


def matrix(lists, items):
    """A row a visitor, a column an item, 1 where it was visited."""
    seen = np.zeros((len(lists), items), np.float32)
    for row, own in zip(seen, lists):
        row[own] = 1
    return seen


def fit(visits, items, power, rate, decay, epochs=EPOCHS, width=WIDTH, seed=SEED):
    """Every page of a visitor is asked for once an epoch, given the other pages. Softmax over the pages not given, Adam
    with a falling rate. `power`: the sum over a history of n pages is divided by n to this power."""
    random = np.random.default_rng(seed)
    seen = matrix(visits, items)
    visitor = np.repeat(np.arange(len(visits)), [len(own) for own in visits])
    page = np.concatenate([np.array(own) for own in visits])
    bias = np.log(seen.sum(0) + 1)
    p = {"history": random.normal(0, 0.1, (items, width)).astype(np.float32),
         "item": random.normal(0, 0.1, (items, width)).astype(np.float32),
         "bias": (bias - bias.mean()).astype(np.float32)}
    first = {name: np.zeros_like(value) for name, value in p.items()}
    second = {name: np.zeros_like(value) for name, value in p.items()}
    steps, total = 0, epochs * -(-len(page) // BATCH)
    for _ in range(epochs):
        order = random.permutation(len(page))
        for start in range(0, len(page), BATCH):
            chosen = order[start:start + BATCH]
            rows, asked = np.arange(len(chosen)), page[chosen]
            given = seen[visitor[chosen]]
            given[rows, asked] = 0
            mean = given / np.maximum(given.sum(1, keepdims=True), 1) ** power
            user = mean @ p["history"]
            scores = np.where(given > 0, -1e9, user @ p["item"].T + p["bias"])
            scores -= scores.max(1, keepdims=True)
            error = np.exp(scores)
            error /= error.sum(1, keepdims=True)
            error[rows, asked] -= 1
            error /= len(chosen)
            gradient = {"history": mean.T @ (error @ p["item"]), "item": error.T @ user, "bias": error.sum(0)}
            steps += 1
            now = rate * (1 - (steps - 1) / total)
            for name, value in gradient.items():
                first[name] = 0.9 * first[name] + 0.1 * value
                second[name] = 0.999 * second[name] + 0.001 * value * value
                step = first[name] / (1 - 0.9 ** steps) / (np.sqrt(second[name] / (1 - 0.999 ** steps)) + 1e-8)
                p[name] -= (now * (step + (0 if name == "bias" else decay * p[name]))).astype(np.float32)
    return p


def scores_of(p, given, power):
    user = (given / np.maximum(given.sum(1, keepdims=True), 1) ** power).astype(np.float64) @ p["history"]
    return user @ p["item"].T.astype(np.float64) + p["bias"]


def ranks(scores, given, asked):
    """Place of the page asked for, from 0, among all pages that the visitor has not seen; equal scores by row, as TopK."""
    scores = np.where(given > 0, -np.inf, scores)
    own = scores[np.arange(len(asked)), asked][:, None]
    earlier = np.arange(scores.shape[1])[None, :] < asked[:, None]
    return ((scores > own) | ((scores == own) & earlier)).sum(1)


def best_of(scores, given):
    return np.argsort(-np.where(given > 0, -np.inf, scores), axis=1, kind="stable")[:, :20]


def ndcg(rank, k=10):
    return np.where(rank < k, 1 / np.log2(rank + 2), 0)


def figures(scores, given, asked):
    rank = ranks(scores, given, asked)
    best = best_of(scores, given)[:, :10]
    return {"ndcg_at_10": round(float(ndcg(rank).mean()), 4), "recall_at_20": round(float((rank < 20).mean()), 4),
            "coverage_at_10": round(len(np.unique(best)) / scores.shape[1], 4)}


def asked_of(visits, items, random):
    """One page of each visitor is asked for, the others are given."""
    asked = np.array([own[int(random.integers(len(own)))] for own in visits])
    given = matrix(visits, items)
    given[np.arange(len(asked)), asked] = 0
    return given, asked


def put(graph, path, manifest, catalogue):
    """Writes a graph, and what the manifest says of it and of the catalogue beside it."""
    path.write_bytes(graph.SerializeToString())
    onnx.checker.check_model(str(path))
    if catalogue != manifest.parent / "items.csv":
        shutil.copyfile(catalogue, manifest.parent / "items.csv")
    digests = {"model.onnx": path, "items.csv": catalogue}
    text = manifest.read_text()
    for name, file in digests.items():
        digest = hashlib.sha256(file.read_bytes()).hexdigest()
        text = re.sub(rf'(path: {re.escape(name)},?\s+sha256: )"?[0-9a-f]{{64}}"?', rf"\g<1>{digest}", text)
    manifest.write_text(text)


def main():
    began = time.time()
    ids, visits = read()
    items = len(ids)
    random = np.random.default_rng(SEED)
    order = random.permutation(len(visits))
    several = [int(one) for one in order if len(visits[one]) >= 2]
    validation = [visits[one] for one in several[:VALIDATION]]
    left_out = set(several[:VALIDATION])
    rest = [own for one, own in enumerate(visits) if one not in left_out]
    given, asked = asked_of(validation, items, np.random.default_rng(SEED + 1))
    print(f"{items} pages; {len(rest)} visitors fit, {len(validation)} choose")
    popularity = np.log(matrix(rest, items).sum(0) + 1)[None, :].repeat(len(asked), 0)
    print("popularity", figures(popularity, given, asked))
    found = []
    for setting in SETTINGS:
        p = fit(rest, items, **setting)
        found.append(figures(scores_of(p, given, setting["power"]), given, asked))
        print(setting, found[-1], flush=True)
    best = SETTINGS[max(range(len(SETTINGS)), key=lambda i: found[i]["ndcg_at_10"])]
    print("chosen", best, flush=True)

    fit_on = matrix(rest, items)
    peers = {}
    for name, peer, settings in PEERS:
        tried = [figures(peer(fit_on, given, **setting), given, asked)["ndcg_at_10"] for setting in settings]
        peers[name] = (peer, settings[int(np.argmax(tried))])
        print(name, list(zip(settings, tried)), flush=True)

    p = fit(visits, items, **best)
    counts = matrix(visits, items).sum(0)
    popular = np.log(counts + 1).astype(np.float32)
    put(history_graph(p, best["power"]), MODEL / "model.onnx", MODEL / "model.yaml", MODEL / "items.csv")
    put(popularity_graph(popular), MODEL / "production/model.onnx", MODEL / "production/model.yaml", MODEL / "items.csv")
    put(int8_graph(p, best["power"]), MODEL / "int8/model.onnx", MODEL / "int8/model.yaml", MODEL / "items.csv")

    rows = [json.loads(line) for line in open(MODEL / "data/eval.jsonl")]
    row_of = {one: row for row, one in enumerate(ids)}
    given = matrix([[row_of[one] for one in row["visited"]] for row in rows], items)
    asked = np.array([row_of[row["next"][0]] for row in rows])
    everyone = np.repeat(popular[None, :].astype(np.float64), len(rows), 0)
    own = scores_of(p, given, best["power"])
    known = matrix(visits, items)
    report = {"popularity (1.0.0)": figures(everyone, given, asked), "history (1.1.0)": figures(own, given, asked),
              "history, weights in int8": figures(scores_of(quantized(p), given, best["power"]), given, asked)}
    for name, (peer, setting) in peers.items():
        report[name] = {**figures(peer(known, given, **setting), given, asked), "setting": setting}
    exact, rounded = best_of(own, given), best_of(scores_of(quantized(p), given, best["power"]), given)
    overlap = float(np.mean([len(set(a) & set(b)) / len(a) for a, b in zip(exact.tolist(), rounded.tolist())]))
    slices = {}
    for field in ("popularity", "history"):
        for value in sorted({row[field] for row in rows}):
            chosen = np.array([row[field] == value for row in rows])
            slices[f"{field}={value}"] = {
                "rows": int(chosen.sum()),
                **{name: round(float(ndcg(ranks(scores[chosen], given[chosen], asked[chosen])).mean()), 4)
                   for name, scores in (("popularity (1.0.0)", everyone), ("history (1.1.0)", own))}}
    gain = ndcg(ranks(own, given, asked)) - ndcg(ranks(everyone, given, asked))
    draws = [gain[random.integers(len(gain), size=len(gain))].mean() for _ in range(2000)]
    interval = [round(float(one), 4) for one in np.quantile(draws, [0.025, 0.975])]
    alone = [own for own in visits if len(own) == 1]
    nobody, wanted = np.zeros((len(alone), items), np.float32), np.array([own[0] for own in alone])
    empty = {"rows": len(alone),
             "popularity (1.0.0)": figures(popular[None, :].repeat(len(alone), 0), nobody, wanted)["ndcg_at_10"],
             "history (1.1.0)": figures(scores_of(p, nobody, best["power"]), nobody, wanted)["ndcg_at_10"]}
    print(json.dumps({"test": report, "overlap": overlap, "difference": interval, "slices": slices, "empty history (trained on)": empty}))
    (TRAIN / "metrics.json").write_text(json.dumps(
        {"setting": best, "seed": SEED, "epochs": EPOCHS, "width": WIDTH, "visitors": len(visits), "rows": len(rows),
         "test": report, "of the list of 20, also in int8's": round(overlap, 4), "ndcg_at_10 difference, 95 %": interval, "slices, ndcg_at_10": slices,
         "empty history, trained on, ndcg_at_10": empty}, indent=2) + "\n")

    chosen = [*range(0, len(rows), len(rows) // 20)][:20]
    (TRAIN / "reference.json").write_text(json.dumps({"rows": [
        {"visited": rows[i]["visited"], "items": [{"id": ids[one], "score": float(own[i, one])} for one in exact[i]]}
        for i in chosen]}) + "\n")
    print(f"{time.time() - began:.0f} s")


if __name__ == "__main__":
    main()
