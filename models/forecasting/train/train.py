#!/usr/bin/python3
"""Trains the forecasting model: the next 18 months of a monthly series from what is known of it, with quantiles.

    OMP_NUM_THREADS=1 python3 models/forecasting/train/train.py [<m3.csv.gz>] > models/forecasting/train/train.log

Needs PyTorch 1.13, onnx 1.12 and NumPy 1.24 (Debian: apt-get install --no-install-recommends python3-torch python3-onnx).
Reads data/series.jsonl and data/eval.jsonl; writes model.onnx, production/model.onnx, the sha256 of both model.yaml,
metrics.json and reference.json. The last month that anything is set on is 2012-12, the first that is judged 2013-01:

- the networks learn from made-up series (simulate.py) and from no real one
- the intervals are set on the origins 2010-06, 2010-12 and 2011-06 of the real series, whose 18 months end by 2012-12
- data/eval.jsonl (origins 2012-12, 2013-06 and 2013-12) reports. Trainings with other settings were seen on it too:
  README.md has their figures

<m3.csv.gz> holds the monthly series of the M3 competition (columns sn, period, split, values), which is GPL-3 and not
part of this repository. Nothing learns from it: it is an outside check, and left out with a word where it is absent.
"""
import csv
import gzip
import hashlib
import json
import pathlib
import re
import sys
import time

import numpy as np
import onnx
import torch

HERE = pathlib.Path(__file__).resolve().parent
MODEL = HERE.parent
sys.path[:0] = [str(HERE), str(MODEL / "data")]
from network import HORIZON, LEVELS, MONTHS, PERIOD, Correction, Forecaster  # noqa: E402
from prepare import position, series  # noqa: E402
from simulate import simulate  # noqa: E402

SEED, MEMBERS, HIDDEN = 7, 5, 160
MADE_UP, EPOCHS, BATCH, RATE = 150_000, 8, 1024, 4e-3
SHORTEST = 36
CALIBRATE = ["2010-06", "2010-12", "2011-06"]
LEAST = [0, 0.005, 0.01, 0.015, 0.02, 0.03, 0.05]
FLAG = 0.99


def padded(history):
    kept = history[-MONTHS:]
    return [0.0] * (MONTHS - len(kept)) + [float(value) for value in kept], len(kept)


class Windows:
    """Histories and what came after them, with what the graph makes of the histories before any network."""

    def __init__(self, histories, actuals):
        pairs = [padded(history) for history in histories]
        self.fill(np.array([values for values, _ in pairs], np.float32), np.array([length for _, length in pairs]), np.array(actuals))

    def fill(self, values, lengths, actuals):
        self.values, self.lengths, self.actuals = values, lengths, actuals
        parts = []
        plain = Forecaster()
        with torch.no_grad():
            for at in range(0, len(values), 2000):
                parts.append(plain.describe(torch.tensor(values[at:at + 2000]), torch.tensor(lengths[at:at + 2000])))
        self.theta, self.features, self.scale, self.mean, self.volatility = (torch.cat(part) for part in zip(*parts))
        self.target = torch.log(torch.tensor(actuals, dtype=torch.float32) / self.mean)
        return self

    def __len__(self):
        return len(self.values)


def made_up(count, random):
    values = simulate(random, count, MONTHS + HORIZON).astype(np.float32)
    lengths = random.integers(SHORTEST + 6, MONTHS + 1, count)
    history = values[:, :MONTHS].copy()
    history[np.arange(MONTHS)[None] < (MONTHS - lengths)[:, None]] = 0
    return Windows.__new__(Windows).fill(history, lengths, values[:, MONTHS:])


def real(known, origins):
    found = []
    for one in known:
        for origin in origins:
            at = position(one["start"], origin) + 1
            if at >= SHORTEST and at + HORIZON <= len(one["values"]):
                found.append((one["values"][max(0, at - MONTHS):at], one["values"][at:at + HORIZON]))
    return Windows(*zip(*found))


def learn(windows, seed):
    """One network; its loss is the error of sMAPE, 200 |tanh(ln(y / f) / 2)|."""
    torch.manual_seed(seed)
    net = Correction(HIDDEN)
    features, scale, theta, target = windows.features, windows.scale, windows.theta, windows.target
    optimiser = torch.optim.AdamW(net.parameters(), lr=RATE, weight_decay=0.01)
    steps = len(features) // BATCH
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, RATE, total_steps=steps * EPOCHS)
    for _ in range(EPOCHS):
        for batch in torch.randperm(len(features))[:steps * BATCH].split(BATCH):
            loss = torch.tanh((target[batch] - theta[batch] - net(features[batch], scale[batch])).abs() / 2).mean()
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            schedule.step()
    return net.eval()


def answers(net, windows):
    with torch.no_grad():
        return np.concatenate([net(torch.tensor(windows.values[at:at + 2000]), torch.tensor(windows.lengths[at:at + 2000])).numpy()
                               for at in range(0, len(windows), 2000)]).astype(np.float64)


def conformal(net, windows):
    """
    Quantiles of the logarithmic error over the series' volatility, per step: order statistics at (n + 1) q, the outer
    ones rounded outwards (split conformal prediction, one side at a time). From the second step on the neighbours of a
    step count with it. What is added to every volatility is what covers calm, middle and wild series most alike.

    Returns the number of origins and what was added.
    """
    net.quantiles.zero_()
    errors = np.log(windows.actuals) - np.log(answers(net, windows)[:, :, LEVELS.index(0.5)])
    volatility = windows.volatility.numpy().astype(np.float64)
    thirds = np.digitize(volatility[:, 0], np.quantile(volatility, [1 / 3, 2 / 3]))
    unlike = {}
    for least in LEAST:
        scaled = errors / (volatility + least)
        table = quantiles_of(scaled)
        inside = (scaled >= table[:, LEVELS.index(0.025)]) & (scaled <= table[:, LEVELS.index(0.975)])
        unlike[least] = np.ptp([inside[thirds == third].mean() for third in range(3)])
    least = min(unlike, key=unlike.get)
    net.least.fill_(least)
    net.quantiles.copy_(torch.tensor(quantiles_of(errors / (volatility + least)), dtype=torch.float32))
    return len(errors), least


def quantiles_of(errors):
    table = np.zeros((HORIZON, len(LEVELS)))
    for step in range(HORIZON):
        pooled = np.sort(errors[:, step - 1:step + 2].ravel() if step > 0 else errors[:, 0])
        for k, level in enumerate(LEVELS):
            if level != 0.5:
                rank = (np.floor if level < 0.5 else np.ceil)((len(pooled) + 1) * level)
                table[step, k] = pooled[int(np.clip(rank, 1, len(pooled))) - 1]
    return np.sort(table, axis=1)


def smape(actual, forecast):
    return float((200 * np.abs(actual - forecast) / (np.abs(actual) + np.abs(forecast))).mean())


def repeated_year(windows):
    return np.concatenate([windows.values[:, -PERIOD:], windows.values[:, -PERIOD:]], 1)[:, :HORIZON].astype(np.float64)


def figures(rows, actual, quantiles):
    """Per row of `rows`, each with its scale and its Naive2: the figures of the gate, as scikit-learn-like arithmetic."""
    point = quantiles[:, :, LEVELS.index(0.5)]
    scales = np.array([row["naive_scale"] for row in rows])[:, None]
    naive2 = np.array([row["naive2"] for row in rows])
    mase, mase2 = float((np.abs(actual - point) / scales).mean()), float((np.abs(actual - naive2) / scales).mean())
    out = {"smape": smape(actual, point), "mase": mase, "owa": (smape(actual, point) / smape(actual, naive2) + mase / mase2) / 2}
    return {**out, **{f"coverage_{round(100 * level)}": covered(actual, quantiles, level) for level in (0.8, 0.95, 0.99)}}


def covered(actual, quantiles, level):
    low, high = (quantiles[:, :, min(range(len(LEVELS)), key=lambda k: abs(LEVELS[k] - q))] for q in ((1 - level) / 2, (1 + level) / 2))
    return float(((actual >= low) & (actual <= high)).mean())


def flags(net, known):
    """
    The newest month against the interval of one step that the months before it give, 2013-01 on. How often a month is
    flagged as it was, and how often when it is made 30 % larger or smaller.
    """
    months = [f"{2012 + (11 + k) // 12}-{(11 + k) % 12 + 1:02d}" for k in range(0, 18)]
    histories, newest, wild = [], [], []
    for one in known:
        size = float(np.abs(np.diff(np.log(one["values"][:position(one["start"], "2012-12") + 1]))).mean())
        for origin in months:
            at = position(one["start"], origin) + 1
            if at >= SHORTEST and at < len(one["values"]):
                histories.append(one["values"][max(0, at - MONTHS):at])
                newest.append(one["values"][at])
                wild.append(size)
    windows = Windows(histories, np.ones((len(histories), HORIZON)))
    first = answers(net, windows)[:, 0]
    low, high, newest, wild = first[:, 0], first[:, -1], np.array(newest), np.array(wild)
    thirds = np.digitize(wild, np.quantile(sorted(set(wild.tolist())), [1 / 3, 2 / 3]))
    out = {"level": FLAG, "months": len(newest), "first": months[0]}
    for name, part in (("all", thirds >= 0), ("calm", thirds == 0), ("middle", thirds == 1), ("wild", thirds == 2)):
        share = lambda values: float(((values[part] < low[part]) | (values[part] > high[part])).mean())  # noqa: E731
        out[name] = {"n": int(part.sum()), "flagged": share(newest), "found_30_percent_up": share(newest * 1.3), "found_30_percent_down": share(newest * 0.7)}
    return out


def export(net, path):
    example = (torch.ones(2, MONTHS), torch.full((2, 1), float(MONTHS)))
    torch.onnx.export(net, example, str(path), opset_version=16, do_constant_folding=False, input_names=["history", "length"],
                      output_names=["forecast"], dynamic_axes={"history": {0: "batch"}, "length": {0: "batch"}, "forecast": {0: "batch"}})
    graph = onnx.load(str(path))
    graph.producer_version = graph.doc_string = ""
    for node in graph.graph.node:
        node.doc_string = ""
    onnx.checker.check_model(graph)
    onnx.save(graph, str(path))
    data = path.read_bytes()
    sha256 = hashlib.sha256(data).hexdigest()
    manifest = path.with_name("model.yaml")
    if manifest.exists():
        manifest.write_text(re.sub(r"(?m)^(  sha256: )\S+", rf"\g<1>{sha256}", manifest.read_text(), count=1))
    return {"bytes": len(data), "sha256": sha256}


def m3(path):
    histories, actuals = {}, {}
    with gzip.open(path, "rt") as file:
        for row in csv.DictReader(file):
            if row["period"].upper() == "MONTHLY":
                (histories if row["split"] == "train" else actuals)[row["sn"]] = [float(value) for value in row["values"].split(";")]
    names = list(histories)
    return Windows([histories[name] for name in names], [actuals[name] for name in names])


def main():
    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(True)
    started = time.time()
    print(f"python {sys.version.split()[0]}, torch {torch.__version__}, onnx {onnx.__version__}, numpy {np.__version__}")
    known = series()
    random = np.random.default_rng(SEED)
    invented = made_up(MADE_UP, random)
    calibration = real(known, CALIBRATE)
    print(f"{len(invented)} made-up windows, {len(calibration)} origins of {len(known)} real series for the intervals; {time.time() - started:.0f} s", flush=True)

    members = []
    for k in range(MEMBERS):
        members.append(learn(invented, SEED + 1 + k))
        print(f"network {k + 1} of {MEMBERS}: {time.time() - started:.0f} s", flush=True)

    rows = [json.loads(line) for line in (MODEL / "data" / "eval.jsonl").read_text().splitlines()]
    held = Windows([row["history"] for row in rows], [row["actual"] for row in rows])
    naive = repeated_year(held)
    outside = m3(sys.argv[1]) if len(sys.argv) > 1 and pathlib.Path(sys.argv[1]).exists() else None
    if outside is None:
        print("M3 is not there: the outside check is left out")
    seasonal = {"smape": smape(held.actuals, naive), "mase": float((np.abs(held.actuals - naive) / np.array([row["naive_scale"] for row in rows])[:, None]).mean())}
    metrics = {"evaluated": f"data/eval.jsonl, {len(rows)} origins of {len({row['series'] for row in rows})} series, {HORIZON} steps",
               "seasonal_naive": seasonal, "versions": {}}
    print(f"seasonal naive: sMAPE {seasonal['smape']:.2f}, MASE {seasonal['mase']:.3f}")
    for version, folder, used in (("1.0.0", MODEL / "production", []), ("1.1.0", MODEL, members)):
        net = Forecaster(used).eval()
        origins, least = conformal(net, calibration)
        before = smape(calibration.actuals, answers(net, calibration)[:, :, LEVELS.index(0.5)])
        quantiles = answers(net, held)
        own = figures(rows, held.actuals, quantiles)
        own["smape_below_seasonal_naive"] = 1 - own["smape"] / seasonal["smape"]
        for key in ("source", "volatility"):
            for name in sorted({row[key] for row in rows}):
                part = np.array([row[key] == name for row in rows])
                own[f"{key}_{name}"] = figures([row for row, used_here in zip(rows, part) if used_here], held.actuals[part], quantiles[part])
        own["flags"] = flags(net, known)
        if outside is not None:
            told = answers(net, outside)
            own["m3_monthly"] = {"series": len(outside), "smape": smape(outside.actuals, told[:, :, LEVELS.index(0.5)]),
                                 **{f"coverage_{round(100 * level)}": covered(outside.actuals, told, level) for level in (0.8, 0.95, 0.99)}}
        metrics["versions"][version] = {**export(net, folder / "model.onnx"), "calibration": {"origins": origins, "smape": before, "added_volatility": least}, **own}
        print(f"{version}: {json.dumps(metrics['versions'][version])}", flush=True)
    reference = [{"id": row["id"], "length": int(held.lengths[i]), "forecast": [[float(f"{value:.8g}") for value in step] for step in quantiles[i]]}
                 for i, row in enumerate(rows) if i % 24 == 0]
    (HERE / "reference.json").write_text("[\n" + ",\n".join(json.dumps(one) for one in reference) + "\n]\n")
    (HERE / "metrics.json").write_text(json.dumps(metrics, indent=2) + "\n")
    print(f"done in {time.time() - started:.0f} s")


if __name__ == "__main__":
    main()
