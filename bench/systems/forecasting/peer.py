"""/usr/bin/python3 bench/systems/forecasting/peer.py histories.csv   (Debian: python3-statsmodels)

ThetaModel of statsmodels on the origins of histories.csv (id and values, split by ";"), and ExponentialSmoothing on every
twelfth. Writes a JSON line: for each the forecasts of 18 steps, null where it gave none, and the seconds that all took.
"""
import csv
import json
import sys
import time
import warnings

import numpy as np
import pandas as pd
import statsmodels
from statsmodels.tsa.forecasting.theta import ThetaModel
from statsmodels.tsa.holtwinters import ExponentialSmoothing

warnings.simplefilter("ignore")
with open(sys.argv[1]) as file:
    rows = [[float(value) for value in row["values"].split(";")] for row in csv.DictReader(file)]


def theta(values):
    index = pd.period_range("2000-01", periods=len(values), freq="M").to_timestamp()
    return ThetaModel(pd.Series(values, index), period=12, method="multiplicative").fit().forecast(18)


def winters(values):
    return ExponentialSmoothing(values, trend="add", damped_trend=True, seasonal="mul", seasonal_periods=12,
                                initialization_method="estimated").fit().forecast(18)


out = {"versions": f"statsmodels {statsmodels.__version__}, NumPy {np.__version__}"}
for name, method, every in (("theta", theta, 1), ("winters", winters, 12)):
    started, forecasts = time.perf_counter(), []
    for values in rows[::every]:
        told = np.asarray(method(values), float)
        forecasts.append(told.tolist() if np.isfinite(told).all() else None)
    out[name] = {"every": every, "seconds": time.perf_counter() - started, "forecasts": forecasts}
print(json.dumps(out))
