"""What a team would write instead: pandas reads prediction files, scikit-learn computes values, no intervals.

/usr/bin/python3 bench/eval/peers.py auroc BASELINE CANDIDATE   the AUROC of both files
/usr/bin/python3 bench/eval/peers.py slices FILE                ten metrics of each region
"""
import sys

import pandas
from sklearn import metrics

task, *files = sys.argv[1:]
if task == "auroc":
    for file in files:
        table = pandas.read_csv(file)
        print(metrics.roc_auc_score(table["label"], table["score"]))
else:
    table = pandas.read_csv(files[0])
    for region, rows in table.groupby("region"):
        label, score = rows["label"], rows["score"]
        predicted = (score >= 0.5).astype(int)
        print(
            region,
            metrics.roc_auc_score(label, score),
            metrics.average_precision_score(label, score),
            metrics.roc_auc_score(label, score, max_fpr=0.1),
            metrics.roc_curve(label, score)[1][-1],
            metrics.log_loss(label, score),
            metrics.brier_score_loss(label, score),
            metrics.accuracy_score(label, predicted),
            metrics.precision_score(label, predicted, zero_division=0),
            metrics.recall_score(label, predicted),
            metrics.f1_score(label, predicted, zero_division=0),
        )
