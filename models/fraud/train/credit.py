#!/usr/bin/python3
"""Trains the same kind of trees on a real table: which of 4,454 loans went bad.

    OMP_NUM_THREADS=2 python3 models/fraud/train/credit.py credit_data.csv

credit_data is of the R package modeldata 1.1.0 (MIT; Debian: r-cran-modeldata), written by
`Rscript -e 'write.csv(modeldata::credit_data, "credit_data.csv", row.names = FALSE)'`. Writes, under models/fraud/credit:
model.onnx, data/loans.csv (the half of the rows that it did not see) and the digest in model.yaml.
"""
import csv
import hashlib
import pathlib
import sys

import numpy as np
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.metrics import average_precision_score, roc_auc_score

import train
import trees

MODEL = pathlib.Path(__file__).resolve().parent.parent / "credit"
NUMBERS = ["seniority", "time", "age", "expenses", "income", "assets", "debt", "amount", "price"]
CATEGORIES = {"home": ["ignore", "other", "owner", "parents", "priv", "rent"], "job": ["fixed", "freelance", "others", "partime"],
              "records": ["no", "yes"]}


def number(text):
    return float("nan") if text in ("", "NA") else float(text)


with open(sys.argv[1]) as file:
    loans = [{key.lower(): "" if value == "NA" else value for key, value in row.items()} for row in csv.DictReader(file)]
np.random.default_rng(20260107).shuffle(loans)
x = np.array([[number(loan[name]) for name in NUMBERS]
              + [float(loan[name] == one) for name, known in CATEGORIES.items() for one in known] for loan in loans], dtype=np.float32)
y = np.array([loan["status"] == "bad" for loan in loans]).astype(int)
half = len(loans) // 2
model = HistGradientBoostingClassifier(max_iter=60, max_leaf_nodes=8, learning_rate=0.08, min_samples_leaf=30,
                                       early_stopping=False, random_state=7).fit(x[:half].astype(float), y[:half])
(MODEL / "model.onnx").write_bytes(trees.to_onnx(model, x.shape[1], "credit", "models/fraud/train/credit.py"))
columns = [*NUMBERS, *CATEGORIES, "status"]
with open(MODEL / "data/loans.csv", "w", newline="") as file:
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows([loan[name] for name in columns] for loan in loans[half:])
manifest = MODEL / "model.yaml"
sha256 = hashlib.sha256((MODEL / "model.onnx").read_bytes()).hexdigest()
manifest.write_text(train.put(manifest.read_text(), r'\n  sha256: "?([0-9a-f]{64})', sha256))
scores = model.predict_proba(x[half:].astype(float))[:, 1]
print(f"{len(loans) - half} loans, {y[half:].sum()} bad, {int(np.isnan(x[half:]).any(1).sum())} with a missing number: "
      f"auroc {roc_auc_score(y[half:], scores):.6f}, average precision {average_precision_score(y[half:], scores):.6f}")
