"""The gate's metrics against scikit-learn's on the predictions that the gate exported.

Run `npx sluice gate mood births` first, then: python3 bench/gate/agreement.py [OUT]  (OUT: the gate's --out, default .sluice)
Writes bench/results/models-agreement.md with the largest absolute difference per metric.
"""
import csv, datetime, json, math, pathlib, sys
import sklearn
from sklearn import metrics as m

out = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else ".sluice")
root = pathlib.Path(__file__).resolve().parents[2]

BINARY = {
    "auroc": lambda y, s: m.roc_auc_score(y, s),
    "average_precision": lambda y, s: m.average_precision_score(y, s),
    "log_loss": lambda y, s: m.log_loss(y, s),
    "brier": lambda y, s: m.brier_score_loss(y, s),
    "accuracy": lambda y, s: m.accuracy_score(y, [v >= 0.5 for v in s]),
    "precision": lambda y, s: m.precision_score(y, [v >= 0.5 for v in s]),
    "recall": lambda y, s: m.recall_score(y, [v >= 0.5 for v in s]),
    "f1": lambda y, s: m.f1_score(y, [v >= 0.5 for v in s]),
    # McClish's standardisation at the gate's default false-positive rate of 0.1.
    "partial_auroc": lambda y, s: m.roc_auc_score(y, s, max_fpr=0.1),
}
REGRESSION = {
    "mae": m.mean_absolute_error,
    "rmse": lambda y, s: math.sqrt(m.mean_squared_error(y, s)),
    "r2": m.r2_score,
    "median_absolute_error": m.median_absolute_error,
    "mape": m.mean_absolute_percentage_error,
}

rows = ["| model | role | metric | figures | largest difference |", "| --- | --- | --- | --- | --- |"]
for model in json.loads((out / "metrics.json").read_text())["models"]:
    reference = BINARY if model["model"]["task"] == "binary-classification" else REGRESSION
    for file in sorted((out / "predictions" / model["model"]["id"]).glob(f"*.{model['role']}.csv")):
        with file.open(newline="") as stream:
            table = list(csv.DictReader(stream))
        for name, formula in reference.items():
            differences = []
            for one in model["measurements"]:
                if one["metric"] != name or one["result"]["status"] != "ok":
                    continue
                column, _, value = one["slice"].partition("=")
                chosen = table if one["slice"] == "all" else [row for row in table if row[column] == value]
                expected = formula([float(row["label"]) for row in chosen], [float(row["score"]) for row in chosen])
                differences.append(abs(expected - one["result"]["value"]))
            rows.append(f"| {model['model']['id']} {model['model']['version']} | {model['role']} | {name} | {len(differences)} | {max(differences):.1e} |")
text = f"""# Metrics of the sample models against scikit-learn {sklearn.__version__}

{datetime.date.today()}. On the predictions that `sluice gate` exported, all rows and each slice. Command: `npx sluice gate mood births && python3 bench/gate/agreement.py`

""" + "\n".join(rows) + "\n"
(root / "bench/results/models-agreement.md").write_text(text)
print(text)
