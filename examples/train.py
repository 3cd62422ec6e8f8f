"""Trains the models of the four examples and writes their data. Takes a minute; needs torch, scikit-learn and onnx.

    python3 examples/train.py SENTENCES OUT     SENTENCES: yelp.json of npm's package sentiment@5.0.2

Data: UCI Sentiment Labelled Sentences (Kotzias et al. 2015), UCI Optical Recognition of Handwritten Digits (Alpaydin and
Kaynak 1998) and UCI Breast Cancer Wisconsin (Wolberg et al. 1993), all CC BY 4.0; the series are simulated.
"""
import csv
import json
import pathlib
import re
import struct
import sys
import zlib

import numpy as np
import onnx
import torch
from onnx import TensorProto, helper
from sklearn.datasets import load_breast_cancer, load_digits
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler

sentences, out = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
torch.manual_seed(0)
rng = np.random.default_rng(0)


def fit(net, loss, steps=300, rate=0.01):
    optimiser = torch.optim.Adam(net.parameters(), rate)
    for _ in range(steps):
        optimiser.zero_grad()
        loss().backward()
        optimiser.step()
    return net.eval()


def export(net, example, path, inputs, output):
    path.parent.mkdir(parents=True, exist_ok=True)
    axes = {name: {0: "batch", **({1: "sequence"} if "i" in kind else {})} for name, kind in inputs.items()}
    torch.onnx.export(net, example, str(path), opset_version=16, input_names=list(inputs), output_names=[output], dynamic_axes={**axes, output: {0: "batch"}})


# table: scikit-learn's scaler and logistic regression, as skl2onnx exports them
cells = load_breast_cancer()
columns = ["radius", "texture", "smoothness", "concavity", "symmetry"]
at = [list(cells.feature_names).index(f"mean {name}") for name in columns]
features, target = cells.data[:, at], cells.target
scaler = StandardScaler().fit(features[::2])
model = LogisticRegression().fit(scaler.transform(features[::2]), target[::2])
weights, bias = model.coef_[0], float(model.intercept_[0])
graph = helper.make_graph(
    [
        helper.make_node("Scaler", ["X"], ["scaled"], domain="ai.onnx.ml", offset=scaler.mean_.tolist(), scale=(1 / scaler.scale_).tolist()),
        helper.make_node("LinearClassifier", ["scaled"], ["label", "probabilities"], domain="ai.onnx.ml", post_transform="LOGISTIC",
                         classlabels_strings=["malignant", "benign"], coefficients=[*(-weights).tolist(), *weights.tolist()], intercepts=[-bias, bias]),
    ],
    "cells",
    [helper.make_tensor_value_info("X", TensorProto.FLOAT, [None, len(columns)])],
    [helper.make_tensor_value_info("label", TensorProto.STRING, [None]), helper.make_tensor_value_info("probabilities", TensorProto.FLOAT, [None, 2])])
exported = helper.make_model(graph, producer_name="skl2onnx", opset_imports=[helper.make_opsetid("", 16), helper.make_opsetid("ai.onnx.ml", 2)])
exported.ir_version = 8
(out / "table").mkdir(parents=True, exist_ok=True)
onnx.save(exported, str(out / "table/cells.onnx"))
with open(out / "table/cells.csv", "w", newline="") as file:
    rows = csv.writer(file, lineterminator="\n")
    rows.writerow([*columns, "diagnosis"])
    rows.writerows([*row, cells.target_names[label]] for row, label in zip(features[1::2], target[1::2]))

# text: a mean of word vectors
words = lambda text: re.findall(r"\w+|[^\w\s]+", text.lower())
given = [(row["text"], row["class"]) for row in json.loads(sentences.read_text()) if isinstance(row.get("class"), int)]
known, test = given[::2], given[1::2]
counts = {}
for text, _ in known:
    for word in words(text):
        counts[word] = counts.get(word, 0) + 1
vocabulary = {"[PAD]": 0, "[UNK]": 1}
for word in sorted(word for word, count in counts.items() if count > 1):
    vocabulary[word] = len(vocabulary)


class Mood(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.vectors, self.last = torch.nn.Embedding(len(vocabulary), 16), torch.nn.Linear(16, 2)

    def forward(self, input_ids, attention_mask):
        mask = attention_mask[:, :, None].float()
        return self.last((self.vectors(input_ids) * mask).sum(1) / mask.sum(1).clamp(min=1))


ids = [[vocabulary.get(word, 1) for word in words(text)][:64] for text, _ in known]
length = max(map(len, ids))
padded = torch.tensor([one + [0] * (length - len(one)) for one in ids])
mask = torch.tensor([[1] * len(one) + [0] * (length - len(one)) for one in ids])
labels = torch.tensor([label for _, label in known])
mood = Mood()
fit(mood, lambda: torch.nn.functional.cross_entropy(mood(padded, mask), labels), 120, 0.02)
export(mood, (padded[:2], mask[:2]), out / "text/model.onnx", {"input_ids": "i", "attention_mask": "i"}, "logits")
(out / "text/config.json").write_text(json.dumps({"architectures": ["MeanOfWordVectors"], "id2label": {"0": "negative", "1": "positive"}}))
(out / "text/tokenizer.json").write_text(json.dumps({
    "version": "1.0", "added_tokens": [], "normalizer": {"type": "Lowercase"}, "pre_tokenizer": {"type": "Whitespace"}, "post_processor": None, "decoder": None,
    "model": {"type": "WordLevel", "vocab": vocabulary, "unk_token": "[UNK]"}}))
with open(out / "text/reviews.csv", "w", newline="") as file:
    rows = csv.writer(file, lineterminator="\n")
    rows.writerow(["review", "sentiment"])
    rows.writerows([text, ["negative", "positive"][label]] for text, label in test)

# pictures: digits of 8 x 8
digits = load_digits()
pixels = torch.tensor(digits.images[:1200, None] / 16, dtype=torch.float32)
truth = torch.tensor(digits.target[:1200])
net = torch.nn.Sequential(torch.nn.Conv2d(1, 8, 3), torch.nn.ReLU(), torch.nn.Flatten(), torch.nn.Linear(288, 10))
fit(net, lambda: torch.nn.functional.cross_entropy(net(pixels), truth), 120)
export(net, pixels[:2], out / "pictures/digits.onnx", {"pixels": "p"}, "logits")


def png(image):
    chunk = lambda kind, data: struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
    lines = b"".join(b"\0" + bytes(min(255, round(value * 255 / 16)) for value in line) for line in image)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", 8, 8, 8, 0, 0, 0, 0)) + chunk(b"IDAT", zlib.compress(lines)) + chunk(b"IEND", b"")


for i in range(1200, 1600):
    folder = out / "pictures/digits" / str(digits.target[i])
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{i}.png").write_bytes(png(digits.images[i]))

# forecasting: 12 steps from 36, simulated
step = np.arange(48)
series = np.stack([rng.uniform(50, 500) * (1 + rng.uniform(-0.005, 0.01) * step + rng.uniform(0.05, 0.3) * np.sin(2 * np.pi * (step + rng.integers(12)) / 12) + rng.normal(0, 0.03, 48)) for _ in range(900)])


class Forecast(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.inner, self.last = torch.nn.Linear(36, 48), torch.nn.Linear(48, 12)

    def forward(self, history):
        level = history.mean(1, keepdim=True)
        return level * (1 + self.last(torch.relu(self.inner(history / level - 1))))


past, future = (torch.tensor(part, dtype=torch.float32) for part in (series[:600, :36], series[:600, 36:]))
forecast = Forecast()
fit(forecast, lambda: ((forecast(past) / future - 1) ** 2).mean(), 600, 0.005)
export(forecast, past[:2], out / "forecasting/demand.onnx", {"history": "h"}, "forecast")
with open(out / "forecasting/series.jsonl", "w") as file:
    for i, one in enumerate(series[600:800]):
        file.write(json.dumps({"series": f"s{i}", "history": [round(v, 2) for v in one[:36]], "actual": [round(v, 2) for v in one[36:]]}) + "\n")
