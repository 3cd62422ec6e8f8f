"""The same lists in NumPy, in one process, as a service around two matrices would make them: FOLDER → JSON on stdout.

Vectors of the first users; scores of all items by one product, the seen ones set to the lowest number,
argpartition and a sort of the 20. What implicit and similar libraries do in `recommend`, without their own C++.
"""
import json
import pathlib
import sys
import time

import numpy as np
import onnx
from onnx import numpy_helper

K, WIDTH, SINGLES, BATCH, BATCHES = 20, 64, 100, 32, 8
folder = pathlib.Path(sys.argv[1])
columns = next(numpy_helper.to_array(one) for one in onnx.load(str(folder / "history/model.onnx")).graph.initializer
               if one.name == "columns")[:, :-1]
columns = np.ascontiguousarray(columns)
needed = SINGLES + BATCH * BATCHES
with open(folder / "requests.jsonl") as file:
    requests = [json.loads(next(file)) for _ in range(needed)]
users = np.fromfile(folder / "users.f32", np.float32, needed * WIDTH).reshape(-1, WIDTH)
seen = [[int(item[5:]) for item in one["seen"]] for one in requests]


def lists(first, count):
    scores = users[first:first + count] @ columns
    for row, own in zip(scores, seen[first:first + count]):
        row[own] = -3e38
    best = np.argpartition(scores, -K, axis=1)[:, -K:]
    order = np.argsort(-np.take_along_axis(scores, best, 1), axis=1, kind="stable")
    return np.take_along_axis(best, order, 1)


def timed(first, count):
    start = time.perf_counter()
    lists(first, count)
    return (time.perf_counter() - start) * 1000


lists(0, 4)
cpu = time.process_time()
single = [timed(i, 1) for i in range(SINGLES)]
single_cpu = (time.process_time() - cpu) * 1000 / SINGLES
cpu = time.process_time()
batch = [timed(SINGLES + i * BATCH, BATCH) for i in range(BATCHES)]
batch_cpu = (time.process_time() - cpu) * 1000 / BATCHES / BATCH
print(json.dumps({"p50": float(np.quantile(single, 0.5)), "p95": float(np.quantile(single, 0.95)), "singleCpuMs": single_cpu,
                  "batchMs": float(np.quantile(batch, 0.5)), "batchCpuMs": batch_cpu,
                  "lists": [[f"item-{one}" for one in own] for own in lists(0, SINGLES)]}))
