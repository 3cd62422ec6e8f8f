#!/usr/bin/python3
"""Writes eval.jsonl, the rolling origins that judge the model, from series.jsonl. Needs NumPy.

    python3 models/forecasting/data/prepare.py

A row is a series at an origin, the last month that is known: its last 144 months at most, the 18 months that came, what
Naive2 says of them (the benchmark of the M4 competition: the last value, seasonally adjusted where a test of
autocorrelation finds seasons) and the scale of MASE, the mean change over a year within that history.
`volatility` cuts the series into thirds by the size of their changes. It groups the results and is no input.
"""
import json
import math
import pathlib

import numpy as np

MONTHS, PERIOD, HORIZON = 144, 12, 18
ORIGINS = ["2012-12", "2013-06", "2013-12"]
HERE = pathlib.Path(__file__).resolve().parent


def series():
    return [json.loads(line) for line in (HERE / "series.jsonl").read_text().splitlines()]


def position(start, month):
    """Months from `start` to `month`, both YYYY-MM."""
    (y0, m0), (y1, m1) = ((int(part) for part in text.split("-")) for text in (start, month))
    return (y1 - y0) * 12 + m1 - m0


def windows(one, origin, shortest=36, horizon=HORIZON):
    """History up to the origin and what came, or None where the series does not reach."""
    at = position(one["start"], origin) + 1
    values = one["values"]
    if at < shortest or at + horizon > len(values):
        return None
    return values[max(0, at - MONTHS):at], values[at:at + horizon]


def seasonal(y):
    """The 90 % test of autocorrelation at lag 12, as the M4 benchmark has it."""
    n = len(y)
    if n < 3 * PERIOD:
        return False
    c = y - y.mean()
    total = (c * c).sum()
    if total == 0:
        return False
    acf = [float((c[k:] * c[:n - k]).sum() / total) for k in range(1, PERIOD + 1)]
    return abs(acf[-1]) > 1.645 * math.sqrt((1 + 2 * sum(a * a for a in acf[:-1])) / n)


def indices(y):
    """Seasonal indices in the order of the first twelve values: R's decompose(type = "multiplicative")."""
    n = len(y)
    average = np.convolve(y, np.array([0.5] + [1] * 11 + [0.5]) / PERIOD, "valid")
    ratio = y[6:n - 6] / average
    found = np.array([ratio[np.arange(6, n - 6) % PERIOD == m].mean() for m in range(PERIOD)])
    return found / found.mean()


def naive2(history):
    y = np.array(history, float)
    if not seasonal(y):
        return [float(y[-1])] * HORIZON
    at = indices(y)
    n = len(y)
    return [float(y[-1] / at[(n - 1) % PERIOD] * at[(n + h) % PERIOD]) for h in range(HORIZON)]


def naive_scale(history):
    y = np.array(history, float)
    return float(np.abs(y[PERIOD:] - y[:-PERIOD]).mean())


def rounded(value):
    return float(f"{value:.7g}")


def main():
    known = series()
    size = {one["series"]: float(np.abs(np.diff(np.log(one["values"][:position(one["start"], ORIGINS[0]) + 1]), n=1)).mean()) for one in known}
    low, high = np.quantile(list(size.values()), [1 / 3, 2 / 3])
    rows = []
    for one in known:
        for origin in ORIGINS:
            found = windows(one, origin)
            if found is None:
                continue
            history, actual = found
            wild = size[one["series"]]
            rows.append({"id": f"{one['series']}@{origin}", "series": one["series"], "origin": origin, "source": one["source"],
                         "measure": one["measure"], "volatility": "calm" if wild < low else "wild" if wild > high else "middle",
                         "history": history, "actual": actual, "naive2": [rounded(v) for v in naive2(history)],
                         "naive_scale": rounded(naive_scale(history))})
    (HERE / "eval.jsonl").write_text("".join(json.dumps(row, separators=(",", ":")) + "\n" for row in rows))
    print(f"{len(rows)} rows of {len({row['series'] for row in rows})} series")


if __name__ == "__main__":
    main()
