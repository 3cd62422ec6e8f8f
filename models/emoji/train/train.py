#!/usr/bin/python3
"""Trains the emoji model: how popular an emoji is on Twitter, from its name, its picture and its place in Unicode's list.

    OMP_NUM_THREADS=1 python3 models/emoji/train/train.py <training file> > models/emoji/train/train.log

<training file> is what data/prepare.ts wrote. Needs PyTorch 1.13, onnx 1.12, NumPy, Pillow and scikit-learn. Writes, under
models/emoji: model.onnx and its tokenizer.json (1.1.0), the same under production/ (1.0.0), the sections `preprocess` to
`postprocess` and the sha256 of both model.yaml, train/reference.json and train/metrics.json.

The encoders learn from emoji without a count. Cross-validation over the 490 rows with a count that are not held out
chooses the settings; all of them then fit both versions; data/eval.jsonl is read once, at the end, to report.
"""
import base64
import collections
import io
import json
import pathlib
import platform
import re
import sys
import time

import numpy as np
import onnx
import sklearn
import torch
from PIL import Image
from sklearn.metrics import log_loss, mean_absolute_error, roc_auc_score
from sklearn.model_selection import StratifiedKFold

import network
import tokenizer

HERE = pathlib.Path(__file__).resolve().parent
MODEL = HERE.parent
SEED, SIDE, REPEATS, FOLDS = 20150101, 32, 4, 5
TEXT_EPOCHS, IMAGE_EPOCHS = 40, 60
GRID = [(hidden, decay, epochs) for hidden in (8, 24) for decay in (0.3, 1.0, 3.0) for epochs in (100, 300)]
#: How many (encoders, fusion) each version averages; 1.1.0 holds those of 1.0.0.
MEMBERS = {"1.0.0": 1, "1.1.0": 5}
NUMBERS = ["aliases", "text_form", "skin_tones"]


class Rows:
    """Rows of a JSONL file as tensors."""

    def __init__(self, rows, ids):
        self.rows = rows
        tokens = [tokenizer.encode(row["name"], ids) for row in rows]
        width = max(map(len, tokens))
        self.ids = torch.tensor([t + [tokenizer.PAD] * (width - len(t)) for t in tokens])
        self.mask = torch.tensor([[1] * len(t) + [0] * (width - len(t)) for t in tokens])
        self.pixels = torch.tensor(np.stack([pixels(row["picture"]) for row in rows]))

    def features(self, categories):
        columns = [[row[key] == value for row in self.rows] for key, values in categories.items() for value in values]
        columns += [[float(row[key]) for row in self.rows] for key in NUMBERS]
        return torch.tensor(np.array(columns, np.float32).T)

    def column(self, key):
        return np.array([row[key] for row in self.rows])


def pixels(data_url):
    """As the image step of model.yaml: value / 255 - 0.5, channels first. The pictures are opaque and of the final size."""
    image = Image.open(io.BytesIO(base64.b64decode(data_url.split(",")[1]))).convert("RGB")
    assert image.size == (SIDE, SIDE)
    return np.asarray(image, np.float32).transpose(2, 0, 1) / np.float32(255) - np.float32(0.5)


def shifted(inputs):
    """A batch of pictures, mirrored or not and moved by at most two pixels."""
    (x,) = inputs
    if torch.rand(()) < 0.5:
        x = x.flip(3)
    return (torch.roll(x, torch.randint(-2, 3, (2,)).tolist(), (2, 3)),)


def encoders(rows, vocabulary, seed):
    """A text and an image encoder, taught the subcategory of emoji without a count."""
    known = sorted(set(rows.column("subcategory")))
    target = torch.tensor([known.index(value) for value in rows.column("subcategory")])
    torch.manual_seed(seed)
    text, text_loss = network.pretrain(network.TextEncoder(vocabulary), lambda i: (rows.ids[i], rows.mask[i]), target, len(known), network.TEXT, seed, TEXT_EPOCHS)
    image, image_loss = network.pretrain(network.ImageEncoder(), lambda i: (rows.pixels[i],), target, len(known), network.IMAGE, seed, IMAGE_EPOCHS, shifted)
    print(f"  encoders, seed {seed}: {len(rows.rows)} emoji without a count, {len(known)} subcategories; last loss text {text_loss:.3f}, picture {image_loss:.3f}", flush=True)
    return text, image


def joined(pair, rows, features):
    with torch.no_grad():
        return torch.cat([pair[0](rows.ids, rows.mask), pair[1](rows.pixels), features], 1)


def scores(popular, log_count, out, scaling):
    """AUROC and log loss of the first head, mean absolute error of the second (log10 of the count)."""
    p = torch.softmax(out[:, :2], 1)[:, 1].numpy().astype(np.float64)
    value = out[:, 2].numpy().astype(np.float64) * scaling[1] + scaling[0]
    two = 0 < popular.sum() < len(popular)
    return {"n": int(len(popular)), "popular": int(popular.sum()), "auroc": float(roc_auc_score(popular, p)) if two else None,
            "log_loss": float(log_loss(popular, p, labels=[False, True])), "mae": float(mean_absolute_error(log_count, value))}


def cross_validate(x, popular, log_count, settings):
    """Each repeat predicts every row once, by a network that did not see it; mean and spread over the repeats."""
    repeats = []
    for repeat in range(REPEATS):
        out = torch.zeros(len(x), 3)
        for fold, (learn, test) in enumerate(StratifiedKFold(FOLDS, shuffle=True, random_state=repeat).split(x, popular)):
            mean, std = log_count[learn].mean(), log_count[learn].std()
            fusion = network.fit(x[learn], torch.tensor(popular[learn]).long(), torch.tensor((log_count[learn] - mean) / std, dtype=torch.float32), SEED + 10 * repeat + fold, *settings)
            with torch.no_grad():
                out[test] = fusion(x[test])
                out[test, 2] = out[test, 2] * std + mean
        repeats.append(scores(popular, log_count, out, (0, 1)))
    return {key: {"mean": float(np.mean([r[key] for r in repeats])), "sd": float(np.std([r[key] for r in repeats], ddof=1))} for key in ("auroc", "log_loss", "mae")}


def shown(figures):
    return "  ".join(f"{key} {value['mean']:.4f} (sd {value['sd']:.4f})" for key, value in figures.items())


def write_yaml(path, sha256, categories, scaling):
    """Replaces the sha256 and the sections `preprocess` to `postprocess`; everything else in the file is written by hand."""
    lines = ["preprocess:",
             "  tokens: {kind: text, field: name, maxCharacters: 200, tokenizer: tokenizer.json, maxTokens: 32, padId: 0}",
             f"  picture: {{kind: image, field: picture, resize: {{width: {SIDE}, height: {SIDE}, kernel: lanczos3}}, mean: [0.5, 0.5, 0.5]}}",
             "  place:", "    kind: tabular", "    columns:"]
    lines += [f"      {key}: {{type: string}}" for key in categories]
    lines += ["      aliases: {type: number, min: 0}", "      text_form: {type: boolean}", "      skin_tones: {type: boolean}", "    features:"]
    for key, values in categories.items():
        unknown = "reject" if key == "category" else "zeros"
        lines.append(f"      - {{column: {key}, encode: one-hot, unknown: {unknown}, categories: {json.dumps(values)}}}")
    lines += [f"      - {{column: {key}, encode: number}}" for key in NUMBERS]
    width = sum(map(len, categories.values())) + len(NUMBERS)
    lines += ["inputs:",
              "  - {name: input_ids, dtype: int64, shape: [batch, sequence], from: tokens.ids}",
              "  - {name: attention_mask, dtype: int64, shape: [batch, sequence], from: tokens.attention_mask}",
              f"  - {{name: pixels, dtype: float32, shape: [batch, 3, {SIDE}, {SIDE}], from: picture.pixels}}",
              f"  - {{name: features, dtype: float32, shape: [batch, {width}], from: place.features}}",
              "outputs:",
              "  - {name: popular, dtype: float32, shape: [batch, 2]}",
              "  - {name: log_count, dtype: float32, shape: [batch, 1]}",
              "postprocess:",
              "  - {name: popular, from: popular, kind: classification, activation: softmax, labels: [other, popular], positive: popular}",
              "  - name: log_count", "    from: log_count", "    kind: regression",
              f"    inverse: {{kind: affine, scale: {scaling[1]!r}, offset: {scaling[0]!r}}}", "    unit: log10(occurrences)"]
    text = re.sub(r"(?ms)^preprocess:.*?(?=^(?:runtime|dataset):|\Z)", lambda _: "\n".join(lines) + "\n", path.read_text())
    path.write_text(re.sub(r"(?m)^  sha256: \S*$", f"  sha256: {sha256}", text))


def paired(rows, first, second, scaling, resamples=2000):
    """Percentile bootstrap of the difference second - first, 90 %: a check of what the gate computes by other methods."""
    rng, n = np.random.default_rng(SEED), len(rows.rows)
    popular, log_count = rows.column("popular"), rows.column("log_count")
    drawn = collections.defaultdict(list)
    for _ in range(resamples):
        i = rng.integers(0, n, n)
        a, b = (scores(popular[i], log_count[i], out[i], scaling) for out in (first, second))
        for key in ("auroc", "mae"):
            drawn[key].append(b[key] - a[key])
    return {key: {"low": float(np.quantile(v, 0.05)), "high": float(np.quantile(v, 0.95)), "sd": float(np.std(v))} for key, v in drawn.items()}


def main():
    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(True)
    started = time.time()
    given = [json.loads(line) for line in open(sys.argv[1], encoding="utf-8")]
    vocab = tokenizer.vocabulary([row["name"] for row in given])
    ids = {token: i for i, token in enumerate(vocab)}
    learn = Rows([row for row in given if "count" in row], ids)
    others = Rows([row for row in given if "count" not in row], ids)
    print(f"python {platform.python_version()}, torch {torch.__version__}, onnx {onnx.__version__}, numpy {np.__version__}, scikit-learn {sklearn.__version__}")
    subcategories = collections.Counter(learn.column("subcategory"))
    categories = {"category": sorted(set(learn.column("category"))),
                  "subcategory": sorted(name for name, n in subcategories.items() if n >= 5),
                  "emoji_version": sorted(set(learn.column("emoji_version")))}
    popular, log_count = learn.column("popular"), learn.column("log_count")
    features = learn.features(categories)
    print(f"{len(learn.rows)} rows, {popular.sum()} popular; {len(vocab)} pieces; features {features.shape[1]}")

    pairs = [encoders(others, len(vocab), SEED)]
    x = joined(pairs[0], learn, features)
    print(f"settings: {REPEATS} x {FOLDS}-fold cross-validation, one network")
    tried = {}
    for settings in GRID:
        tried[settings] = cross_validate(x, popular, log_count, settings)
        print(f"  hidden {settings[0]:2d} decay {settings[1]:.1f} epochs {settings[2]}  {shown(tried[settings])}", flush=True)
    # Both heads count: the AUROC's loss from 1 and the error, each relative to the best of the grid.
    best = {"auroc": max(t["auroc"]["mean"] for t in tried.values()), "mae": min(t["mae"]["mean"] for t in tried.values())}
    chosen = min(GRID, key=lambda s: (1 - tried[s]["auroc"]["mean"]) / (1 - best["auroc"]) + tried[s]["mae"]["mean"] / best["mae"])
    print(f"chosen: hidden {chosen[0]}, decay {chosen[1]}, epochs {chosen[2]}")
    t, i = network.TEXT, network.TEXT + network.IMAGE
    parts = {"everything": x, "without the name": x[:, t:], "without the picture": torch.cat([x[:, :t], x[:, i:]], 1), "without the list's columns": x[:, :i], "the list's columns only": x[:, i:]}
    without = {name: cross_validate(part, popular, log_count, chosen) for name, part in parts.items()}
    for name, figures in without.items():
        print(f"  {name:27s}{shown(figures)}", flush=True)

    scaling = (float(log_count.mean()), float(log_count.std()))
    target = torch.tensor((log_count - scaling[0]) / scaling[1], dtype=torch.float32)
    pairs += [encoders(others, len(vocab), SEED + k) for k in range(1, max(MEMBERS.values()))]
    members = [(*pair, network.fit(joined(pair, learn, features), torch.tensor(popular).long(), target, SEED + 100 + k, *chosen)) for k, pair in enumerate(pairs)]

    held = Rows([json.loads(line) for line in open(MODEL / "data" / "eval.jsonl", encoding="utf-8")], ids)
    inputs = (held.ids, held.mask, held.pixels, held.features(categories))
    truth, families = (held.column("popular"), held.column("log_count")), held.column("family")
    metrics = {"settings": dict(zip(("hidden", "decay", "epochs"), chosen)), "cross_validation": {"rows": len(learn.rows), "repeats": REPEATS, "folds": FOLDS, **without}, "held_out": {}}
    outs = {}
    for version, count in MEMBERS.items():
        folder = MODEL if version == max(MEMBERS) else MODEL / "production"
        model = network.Emoji(members[:count])
        tokenizer.write(folder / "tokenizer.json", vocab)
        sha256, size = network.export(model, tuple(part[:2] for part in inputs), folder / "model.onnx", version)
        write_yaml(folder / "model.yaml", sha256, categories, scaling)
        with torch.no_grad():
            outs[version] = torch.cat(model.eval()(*inputs), 1)
        figures = {"all": scores(*truth, outs[version], scaling)}
        for family in sorted(set(families)):
            figures[family] = scores(*(column[families == family] for column in truth), outs[version][families == family], scaling)
        metrics["held_out"][version] = {"members": count, "bytes": size, "sha256": sha256, **figures}
        print(f"{version}: {count} members, {size} bytes, sha256 {sha256}")
        for name, f in figures.items():
            print(f"  {name:19s} n {f['n']:3d} popular {f['popular']:2d}  auroc {'-' if f['auroc'] is None else format(f['auroc'], '.4f')}  log loss {f['log_loss']:.4f}  mae {f['mae']:.4f}")
    share = {c: popular[learn.column("category") == c].mean() for c in categories["category"]}
    metrics["held_out"]["naive"] = {"what": "share of popular emoji of the category; median log count", "auroc": float(roc_auc_score(truth[0], [share[c] for c in held.column("category")])),
                                    "mae": float(np.abs(truth[1] - np.median(log_count)).mean())}
    metrics["held_out"]["difference_90_percent"] = paired(held, outs["1.0.0"], outs["1.1.0"], scaling)
    print("naive:", {k: round(v, 4) for k, v in metrics["held_out"]["naive"].items() if k != "what"})
    print("1.1.0 - 1.0.0, 90 %:", {k: {e: round(n, 4) for e, n in v.items()} for k, v in metrics["held_out"]["difference_90_percent"].items()})
    (HERE / "metrics.json").write_text(json.dumps(metrics, indent=1) + "\n")

    reference = [{"id": held.rows[k]["id"], "ids": held.ids[k][held.mask[k] == 1].tolist(), "popular": float(torch.softmax(outs["1.1.0"][k, :2], 0)[1]),
                  "log_count": float(outs["1.1.0"][k, 2]) * scaling[1] + scaling[0]} for k in range(0, len(held.rows), 12)]
    (HERE / "reference.json").write_text("[\n" + ",\n".join(json.dumps(row) for row in reference) + "\n]\n")
    print(f"done in {time.time() - started:.0f} s")


if __name__ == "__main__":
    main()
