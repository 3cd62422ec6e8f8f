"""Reads samples as JSON from stdin; writes what scikit-learn, SciPy and NumPy make of them, by the name that agreement.ts has.

/usr/bin/python3 bench/stats/agreement.py < samples.json   (Debian: python3-sklearn, python3-scipy)
"""
import json
import sys
import warnings

import numpy as np
import scipy
import sklearn
from scipy import stats
from sklearn import metrics

warnings.filterwarnings("ignore")
data = json.load(sys.stdin)
y, a, b, w = (np.array(data["binary"][k]) for k in "yabw")
ry, ra, rb, rw = (np.array(data["regression"][k]) for k in "yabw")
# Two series, odd and even rows; each is scaled by the in-sample error of its own seasonal naive forecast, season 7.
rs = np.array([np.abs(train[7:] - train[:-7]).mean() for train in (ry[0::2], ry[1::2])])[np.arange(len(ry)) % 2]
out = {"versions": f"scikit-learn {sklearn.__version__}, SciPy {scipy.__version__}, NumPy {np.__version__}"}
values = {}


def ece(y, p, w):
    index = np.searchsorted(np.linspace(0, 1, 16)[1:-1], p)
    return sum(abs(np.sum((w * (p - y))[index == k])) for k in range(15)) / w.sum()


def tpr(y, s, w):
    fpr, hits, _ = metrics.roc_curve(y, s, sample_weight=w, drop_intermediate=False)
    return hits[fpr <= 0.1 + 1e-12].max()


for name, weight in (("", None), (", weighted", w)):
    kw = {"sample_weight": weight}
    ones = np.ones(len(y)) if weight is None else weight
    hard = (a >= 0.5).astype(int)
    values |= {
        f"auroc{name}": metrics.roc_auc_score(y, a, **kw), f"average_precision{name}": metrics.average_precision_score(y, a, **kw),
        f"partial_auroc{name}": metrics.roc_auc_score(y, a, max_fpr=0.1, **kw), f"tpr_at_fpr{name}": tpr(y, a, weight),
        f"log_loss{name}": metrics.log_loss(y, a, **kw), f"brier{name}": metrics.brier_score_loss(y, a, **kw), f"ece{name}": ece(y, a, ones),
        f"accuracy{name}": metrics.accuracy_score(y, hard, **kw), f"precision{name}": metrics.precision_score(y, hard, **kw),
        f"recall{name}": metrics.recall_score(y, hard, **kw), f"f1{name}": metrics.f1_score(y, hard, **kw),
    }
for name, weight in (("", None), (", weighted", rw)):
    kw = {"sample_weight": weight}
    values |= {
        f"mae{name}": metrics.mean_absolute_error(ry, ra, **kw), f"rmse{name}": metrics.mean_squared_error(ry, ra, squared=False, **kw),
        f"r2{name}": metrics.r2_score(ry, ra, **kw), f"median_absolute_error{name}": metrics.median_absolute_error(ry, ra, **kw),
        f"mape{name}": metrics.mean_absolute_percentage_error(ry, ra, **kw),
        f"mase{name}": np.average(np.abs(ry - ra) / rs, weights=weight),
        f"smape{name}": np.average(2 * np.abs(ry - ra) / (np.abs(ry) + np.abs(ra)), weights=weight),
    }
my, mp = np.array(data["multiclass"]["y"]), np.array(data["multiclass"]["p"])
values["auroc, 3 classes"] = np.mean([metrics.roc_auc_score(my == c, mp[:, c]) for c in range(3)])
values["log_loss, 3 classes"] = metrics.log_loss(my, mp)
values["f1, 3 classes"] = metrics.f1_score(my, mp.argmax(axis=1), average="macro")
out["values"] = values

ci = stats.binomtest(int((y == (a >= 0.5)).sum()), len(y)).proportion_ci(0.9, method="wilson")
out["accuracy interval"] = [ci.low, ci.high]


def bca(name, one, two, statistic):
    """Far more resamples than the gate's 2,000, so that the difference is the gate's Monte-Carlo error."""
    done = stats.bootstrap((one, two), statistic, paired=True, n_resamples=20_000, confidence_level=0.9, method="BCa", vectorized=True, batch=500, random_state=1)
    out[name] = [done.confidence_interval.low, done.confidence_interval.high, done.standard_error]


e, f = np.abs(ry - ra), np.abs(ry - rb)
bca("mae difference", e, f, lambda i, j, axis: np.mean(i, axis=axis) - np.mean(j, axis=axis))
bca("mae relative", e, f, lambda i, j, axis: np.mean(i, axis=axis) / np.mean(j, axis=axis) - 1)
bca("rmse difference", e**2, f**2, lambda i, j, axis: np.sqrt(np.mean(i, axis=axis)) - np.sqrt(np.mean(j, axis=axis)))
loss = lambda p: -np.log(np.where(y == 1, p, 1 - p))
bca("log_loss difference", loss(a), loss(b), lambda i, j, axis: np.mean(i, axis=axis) - np.mean(j, axis=axis))
bca("brier difference", (a - y) ** 2, (b - y) ** 2, lambda i, j, axis: np.mean(i, axis=axis) - np.mean(j, axis=axis))
json.dump(out, sys.stdout, default=float)
