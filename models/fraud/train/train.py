#!/usr/bin/python3
"""Simulates card payments, joins the features of each payment's own time, and trains both versions of fraud.

    OMP_NUM_THREADS=2 python3 models/fraud/train/train.py > models/fraud/train/train.log

Needs Python 3.11 with NumPy, scikit-learn 1.2 and onnx 1.12 (Debian: python3-sklearn python3-onnx), and Node for the
repository's own `sluice features`. Writes, under models/fraud: model.onnx (1.1.0) and production/model.onnx (1.0.0), the
feature tables, data/, train/reference.json, train/metrics.json, and the digests in both model.yaml files.
`--world CUSTOMERS DAYS OUT` only writes a world as OUT/payments.csv, for measurements at another size.
"""
import hashlib
import json
import pathlib
import re
import subprocess
import sys
import tempfile
import time

import numpy as np

import simulate

HERE = pathlib.Path(__file__).resolve().parent
MODEL = HERE.parent
ROOT = MODEL.parent.parent
SEED = 20260105
WARM = 37  # Days before the first row: the longest window and the delay of labels.
LATE = 7  # Days until a label is known.
# The model is trained on one world and judged on another: other customers, cards and terminals.
TRAINING = {"customers": 5000, "terminals": 1150, "days": 135}
EVALUATION = {"customers": 700, "terminals": 160, "days": 86}
# Days of the evaluation's world. The threshold is chosen in the earlier period, when its labels are known.
EARLIER, JUDGED = (WARM, WARM + 14), (58, 86)
# Version -> folder, days of the training world, trees, leaves.
VERSIONS = {
    "1.0.0": (MODEL / "production", (WARM, 80), 60, 15),
    "1.1.0": (MODEL, (WARM, 135 - LATE), 200, 31),
}
LOOKED_UP = ["card.payments_15m", "card.payments_1h", "card.payments_1d", "card.payments_30d", "card.spend_1d", "card.spend_30d",
             "card.mean_30d", "terminal.payments_1d", "terminal.known_30d", "terminal.frauds_7d", "terminal.frauds_30d"]
FEATURES = ["amount", "distance_km", "hour", "weekday", "pos", "atm", "online", "amount_ratio", "card_15m", "card_1h", "card_1d",
            "card_30d", "card_spend_1d", "card_mean_30d", "terminal_1d", "terminal_known_30d", "terminal_frauds_7d",
            "terminal_frauds_30d"]


def sluice(*arguments):
    return subprocess.run(["node", ROOT / "scripts/sluice.mjs", *map(str, arguments)], check=True, cwd=ROOT, capture_output=True, text=True).stdout


def write_rows(path, world, rows):
    with open(path, "w") as file:
        file.writelines(simulate.csv_lines(world, rows))


def tables(events, folder):
    """Both feature tables of a file of payments. @returns their digests"""
    digests = {}
    for step, column in (("card", "amount"), ("terminal", "fraud")):
        built = sluice("features", "build", events, "--key", f"{step}_id", "--time", "at", "--columns", column, "--repeats", "keep",
                       "--out", folder / f"{step}.features", "--json")
        digests[step] = json.loads(built)["sha256"]
    return digests


def joined(rows, folder, out):
    """The looked-up features of each row at its time, as float32; NaN where there is none."""
    sluice("features", "join", MODEL, rows, "--history", f"card={folder / 'card.features'}",
           "--history", f"terminal={folder / 'terminal.features'}", "--keep", "id", "--out", out)
    with open(out) as file:
        header = file.readline().strip().split(",")
        body = np.genfromtxt(file, delimiter=",", dtype=np.float32, usecols=[header.index(name) for name in LOOKED_UP])
    return {name: body[:, i].astype(float) for i, name in enumerate(LOOKED_UP)}


def matrix(world, rows, found):
    """What model.yaml's `payment` step computes: float64, then rounded to float32."""
    at, amount, channel = world["at"][rows], world["amount"][rows], world["channel"][rows]
    columns = [
        amount, world["distance_km"][rows], at % simulate.DAY // 3_600_000, (at // simulate.DAY + 3) % 7,
        channel == simulate.POS, channel == simulate.ATM, channel == simulate.ONLINE,
        amount * found["card.payments_30d"] / np.maximum(found["card.spend_30d"], 1),
        *(found[f"card.{name}"] for name in ("payments_15m", "payments_1h", "payments_1d", "payments_30d", "spend_1d", "mean_30d")),
        *(found[f"terminal.{name}"] for name in ("payments_1d", "known_30d", "frauds_7d", "frauds_30d")),
    ]
    return np.column_stack([np.asarray(column, dtype=float) for column in columns]).astype(np.float32)


def digest(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


def put(text, pattern, value):
    """Replaces the one match of a pattern's last group."""
    found = list(re.finditer(pattern, text))
    assert len(found) == 1, pattern
    return text[:found[0].start(1)] + str(value) + text[found[0].end(1):]


def tpr_at_fpr(labels, scores, rate):
    """The largest share of frauds found by a threshold with at most this share of false alarms; ties share a threshold."""
    from sklearn.metrics import roc_curve
    fpr, tpr, _ = roc_curve(labels, scores, drop_intermediate=False)
    return float(tpr[fpr <= rate].max())


def write_world(customers, days, target):
    target.mkdir(parents=True, exist_ok=True)
    made = simulate.simulate(SEED + 2, customers, round(customers * 0.23), days)
    write_rows(target / "payments.csv", made, np.arange(len(made["at"])))


def main():
    import trees
    from sklearn.ensemble import HistGradientBoostingClassifier
    from sklearn.metrics import average_precision_score, brier_score_loss, roc_auc_score

    started = time.time()
    work = pathlib.Path(tempfile.mkdtemp(prefix="sluice-fraud-"))
    learned = simulate.simulate(SEED, **TRAINING)
    judged = simulate.simulate(SEED + 1, **EVALUATION)
    for name, world in (("training", learned), ("evaluation", judged)):
        print(f"{name}: {len(world['at'])} payments, {100 * (world['scenario'] > 0).mean():.2f} % fraud, scenarios "
              f"{np.bincount(world['scenario'], minlength=4).tolist()}, {world['card'].max() + 1} cards")

    every = np.arange(len(learned["at"]))
    write_rows(work / "payments.csv", learned, every)
    tables(work / "payments.csv", work)
    day = simulate.day_of(learned["at"])
    rows = every[day >= WARM]
    write_rows(work / "rows.csv", learned, rows)
    x = matrix(learned, rows, joined(work / "rows.csv", work, work / "joined.csv"))
    y = (learned["scenario"][rows] > 0).astype(int)
    print(f"{len(rows)} training rows with their features after {time.time() - started:.0f} s")

    # The exam: the whole history, four weeks of rows and two earlier ones. And what serves: the days that windows reach.
    data = MODEL / "data"
    data.mkdir(exist_ok=True)
    days = simulate.day_of(judged["at"])
    write_rows(work / "history.csv", judged, np.arange(len(days)))
    tables(work / "history.csv", data)
    write_rows(work / "served.csv", judged, np.flatnonzero(days >= EVALUATION["days"] - WARM - 1))
    served = tables(work / "served.csv", MODEL)
    periods = {"earlier": EARLIER, "eval": JUDGED}
    of_period = {}
    for name, (begin, end) in periods.items():
        some = np.flatnonzero((days >= begin) & (days < end))
        write_rows(data / f"{name}.csv", judged, some)
        of_period[name] = (some, matrix(judged, some, joined(data / f"{name}.csv", data, work / f"{name}-joined.csv")))

    metrics, references = {}, {}
    for version, (folder, (begin, end), count, leaves) in VERSIONS.items():
        folder.mkdir(exist_ok=True)
        used = (day[rows] >= begin) & (day[rows] < end)
        model = HistGradientBoostingClassifier(
            max_iter=count, max_leaf_nodes=leaves, learning_rate=0.06, min_samples_leaf=60, l2_regularization=1.0,
            early_stopping=False, random_state=7)
        begun = time.time()
        model.fit(x[used].astype(float), y[used])
        (folder / "model.onnx").write_bytes(trees.to_onnx(model, len(FEATURES), "fraud", "models/fraud/train/train.py", hitrates=True))
        metrics[version] = {"rows": int(used.sum()), "frauds": int(y[used].sum()), "trees": count, "leaves": leaves,
                            "seconds": round(time.time() - begun)}
        for name, (some, features) in of_period.items():
            labels, scores = judged["scenario"][some] > 0, model.predict_proba(features.astype(float))[:, 1]
            measured = {"rows": len(some), "frauds": int(labels.sum()), "averagePrecision": average_precision_score(labels, scores),
                        "tprAtFpr001": tpr_at_fpr(labels, scores, 0.01), "auroc": roc_auc_score(labels, scores),
                        "brier": brier_score_loss(labels, scores)}
            for number, scenario in enumerate(simulate.SCENARIOS[1:], 1):
                only = (judged["scenario"][some] == number) | ~labels
                measured[f"tprAtFpr001, {scenario}"] = tpr_at_fpr(labels[only], scores[only], 0.01)
            metrics[version][name] = {key: round(float(value), 4) for key, value in measured.items()}
        some, features = of_period["eval"]
        # Frauds, rows without a history, and a few others.
        shown = [*np.flatnonzero(judged["scenario"][some] > 0)[:10], *np.flatnonzero(np.isnan(features).any(1))[:5], *range(5)]
        references[version] = [{"id": f"p{some[i]}", "features": [None if np.isnan(v) else float(v) for v in features[i]],
                                "probability": float(model.predict_proba(features[i:i + 1].astype(float))[0, 1])} for i in shown]
        for one, i in zip(references[version][:20], shown[:20] if version != "1.0.0" else []):
            start, added = trees.contributions(model, features[i].astype(float))
            one["start"], one["contributions"] = start, added.tolist()
        manifest = folder / "model.yaml"
        if manifest.exists():
            text = put(manifest.read_text(), r'\n  sha256: "?([0-9a-f]{64})', digest(folder / "model.onnx"))
            for step, sha256 in served.items():
                text = put(text, rf"path: {step}\.features, sha256: \"?([0-9a-f]{{64}})", sha256)
            manifest.write_text(text)
        for step in served if folder != MODEL else ():
            (folder / f"{step}.features").write_bytes((MODEL / f"{step}.features").read_bytes())
        print(version, json.dumps(metrics[version]))
    (HERE / "metrics.json").write_text(json.dumps(metrics, indent=1) + "\n")
    (HERE / "reference.json").write_text(json.dumps(references) + "\n")
    print(f"done after {time.time() - started:.0f} s")


if __name__ == "__main__":
    if sys.argv[1:2] == ["--world"]:
        write_world(int(sys.argv[2]), int(sys.argv[3]), pathlib.Path(sys.argv[4]))
    else:
        main()
