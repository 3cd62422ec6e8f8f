"""What scikit-learn takes for the same values, without intervals, on the doubles in a file.

/usr/bin/python3 bench/stats/many-classes.py FILE ROWS CLASSES
"""
import json
import sys
import time

import numpy as np
import sklearn
from sklearn import metrics

file, n, k = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
values = np.fromfile(file)
labels = values[:n].astype(np.int64)
scores = values[n:n + n * k].reshape(n, k)
classes = np.arange(k)


def guessed():
    return scores.argmax(axis=1)


tasks = {
    "auroc": lambda: metrics.roc_auc_score(labels, scores, multi_class="ovr", average="macro", labels=classes),
    "log_loss": lambda: metrics.log_loss(labels, scores, labels=classes),
    "accuracy": lambda: metrics.accuracy_score(labels, guessed()),
    "precision": lambda: metrics.precision_score(labels, guessed(), average="macro"),
    "recall": lambda: metrics.recall_score(labels, guessed(), average="macro"),
    "f1": lambda: metrics.f1_score(labels, guessed(), average="macro"),
}
found = {}
for name, work in tasks.items():
    before = time.process_time()
    value = work()
    found[name] = {"value": float(value), "seconds": time.process_time() - before}
print(json.dumps({"version": sklearn.__version__, "metrics": found}))
