"""Median time of scikit-learn's roc_auc_score on the doubles in a file: labels, then one model's scores.

/usr/bin/python3 bench/stats/speed.py FILE ROWS REPEATS
"""
import json
import statistics
import sys
import time

import numpy as np
import sklearn
from sklearn.metrics import roc_auc_score

values = np.fromfile(sys.argv[1])
n = int(sys.argv[2])
labels, scores = values[:n].astype(np.int64), values[n:2 * n]
times, processor = [], []
for _ in range(int(sys.argv[3])):
    started, before = time.perf_counter(), time.process_time()
    auroc = roc_auc_score(labels, scores)
    times.append(time.perf_counter() - started)
    processor.append(time.process_time() - before)
print(json.dumps({"seconds": statistics.median(times), "processorSeconds": statistics.median(processor), "auroc": auroc, "version": sklearn.__version__}))
