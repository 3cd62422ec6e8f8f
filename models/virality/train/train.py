#!/usr/bin/python3
"""Trains the virality model: will a video go viral, and how fast is it seen, from title, description, picture and counts.

    OMP_NUM_THREADS=1 python3 models/virality/train/train.py > models/virality/train/train.log

Needs PyTorch 1.13, onnx 1.12, NumPy and scikit-learn, and no data: train/simulate.py makes it. Writes, under
models/virality: tokenizer.json, model.onnx (1.1.0), production/ (1.0.0), data/eval.jsonl, train/reference.json,
train/metrics.json, and in both model.yaml files the digest and the means and deviations of the features.

Two encoders are trained, each alone on its part of the row, and then frozen; each version is a fusion network on top.
"""
import hashlib
import json
import math
import pathlib
import re
import time

import numpy as np
import onnx
import torch
from sklearn.metrics import mean_absolute_error, roc_auc_score
from torch import nn

import simulate

HERE = pathlib.Path(__file__).resolve().parent
MODEL = HERE.parent
SEED = 20240601
ENCODER_ROWS, EVAL_ROWS = 24_000, 3_000
# Version -> folder, rows that the fusion network learns from, its width, seed.
VERSIONS = {"1.0.0": (MODEL / "production", 12_000, 48, 11), "1.1.0": (MODEL, 40_000, 64, 12)}
MAX_TOKENS = 128
PAD, UNKNOWN = 0, 1
PLACEHOLDER = 128

# --- preprocessing: what model.yaml declares, in Python -------------------------------------------


def count_of(text, piece):
    return text.count(piece)


def capitals(text):
    letters = [c for c in text if c.isalpha()]
    return sum(c.isupper() for c in letters) / len(letters) if letters else 0


FEATURES = {
    "views_log": lambda r: math.log(1 + r["view_count"]),
    "likes_log": lambda r: math.log(1 + r["like_count"]),
    "comments_log": lambda r: math.log(1 + r["comment_count"]),
    "duration_log": lambda r: math.log(1 + r["duration_seconds"]),
    "like_rate": lambda r: min(1, r["like_count"] / max(r["view_count"], 1)),
    "comment_rate": lambda r: min(1, r["comment_count"] / max(r["view_count"], 1)),
    "comments_per_like": lambda r: min(10, r["comment_count"] / max(r["like_count"], 1)),
    "engagement_log": lambda r: math.log(1 + 1000 * FEATURES["comment_rate"](r)),
    "title_length": lambda r: len(r["title"]),
    "title_words": lambda r: len(r["title"].split()),
    "title_questions": lambda r: count_of(r["title"], "?"),
    "title_exclamations": lambda r: count_of(r["title"], "!"),
    "title_digits": lambda r: sum(c.isdigit() for c in r["title"]),
    "title_capitals": lambda r: capitals(r["title"]),
    "description_words": lambda r: len((r["description"] or "").split()),
    "has_description": lambda r: float(bool(r["description"])),
    "has_thumbnail": lambda r: float(r["thumbnail_url"] is not None),
    "short_video": lambda r: float(r["duration_seconds"] <= 60),
}


def pieces_of(text):
    return re.findall(r"[a-z0-9]+|[^\w\s]", text.lower())


def text_of(row):
    return row["title"] + ("" if row["description"] is None else " | " + row["description"])


def vocabulary():
    words = sorted(set(simulate.WORDS) | set(simulate.DESCRIBED) | {"and"})
    characters = [chr(c) for c in range(ord("a"), ord("z") + 1)] + list("0123456789")
    return ["[PAD]", "[UNK]", *"|?!.,:;'\"-()&", *characters, *(f"##{c}" for c in characters), *(w for w in words if len(w) > 1)]


VOCABULARY = vocabulary()
IDS = {token: i for i, token in enumerate(VOCABULARY)}


def ids_of(text):
    """WordPiece: the longest known piece first; a word with an unknown rest is [UNK]."""
    ids = []
    for word in pieces_of(text):
        found, start = [], 0
        while start < len(word):
            end = next((e for e in range(len(word), start, -1) if ("##" if start else "") + word[start:e] in IDS), None)
            if end is None:
                found = [UNKNOWN]
                break
            found.append(IDS[("##" if start else "") + word[start:end]])
            start = end
        ids += found
    return ids[:MAX_TOKENS]


def write_tokenizer(path):
    special = [{"id": i, "content": t, "single_word": False, "lstrip": False, "rstrip": False, "normalized": False, "special": True} for i, t in enumerate(["[PAD]", "[UNK]"])]
    path.write_text(json.dumps({
        "version": "1.0", "truncation": None, "padding": None, "added_tokens": special,
        "normalizer": {"type": "BertNormalizer", "clean_text": True, "handle_chinese_chars": True, "strip_accents": True, "lowercase": True},
        "pre_tokenizer": {"type": "BertPreTokenizer"}, "post_processor": None, "decoder": {"type": "WordPiece", "prefix": "##", "cleanup": True},
        "model": {"type": "WordPiece", "unk_token": "[UNK]", "continuing_subword_prefix": "##", "max_input_chars_per_word": 100, "vocab": IDS},
    }, indent=0) + "\n")


class Rows:
    """Tensors of simulated rows."""

    def __init__(self, rows):
        self.rows = rows
        ids = [ids_of(text_of(row)) for row in rows]
        self.ids = torch.full((len(rows), MAX_TOKENS), PAD, dtype=torch.long)
        for i, one in enumerate(ids):
            self.ids[i, :len(one)] = torch.tensor(one)
        self.mask = torch.zeros_like(self.ids)
        for i, one in enumerate(ids):
            self.mask[i, :len(one)] = 1
        gray = np.full((simulate.SIDE, simulate.SIDE, 3), PLACEHOLDER, np.uint8)
        self.pixels = torch.from_numpy(np.stack([gray if r["pixels"] is None else r["pixels"] for r in rows]).transpose(0, 3, 1, 2).copy())
        self.raw = np.array([[f(r) for f in FEATURES.values()] for r in rows])
        self.velocity = torch.tensor([r["velocity"] for r in rows], dtype=torch.float32)
        self.viral = torch.tensor([float(r["viral"]) for r in rows])


def normalised(pixels):
    return (pixels.float() / 255 - 0.5) / 0.5


# --- networks -------------------------------------------------------------------------------------


class TextEncoder(nn.Module):
    def __init__(self):
        super().__init__()
        self.embed = nn.Embedding(len(VOCABULARY), 32, padding_idx=PAD)
        self.near = nn.Conv1d(32, 48, 3, padding=1)
        self.out = nn.Linear(96, 32)

    def forward(self, ids, mask):
        keep = mask.float().unsqueeze(1)
        features = torch.relu(self.near(self.embed(ids).transpose(1, 2) * keep)) * keep
        total, count = features.sum(2), keep.sum(2).clamp(min=1)
        return torch.relu(self.out(torch.cat([total / count, total / count.sqrt() / 2], 1)))


class ImageEncoder(nn.Module):
    """Of 32 x 32 pixels. In the graph an average over 7 x 7 makes them of the 224 x 224 that come in."""

    def __init__(self):
        super().__init__()
        self.layers = nn.Sequential(nn.Conv2d(3, 12, 3, 2, 1), nn.ReLU(), nn.Conv2d(12, 24, 3, 2, 1), nn.ReLU(), nn.Conv2d(24, 32, 3, 2, 1), nn.ReLU())
        self.out = nn.Linear(64, 32)

    def forward(self, pixels):
        features = self.layers(pixels)
        return torch.relu(self.out(torch.cat([features.mean((2, 3)), features.amax((2, 3))], 1)))


class Fusion(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.layers = nn.Sequential(nn.Linear(32 + 32 + len(FEATURES), width), nn.ReLU(), nn.Linear(width, width // 2), nn.ReLU(), nn.Linear(width // 2, 2))

    def forward(self, text, image, features):
        return self.layers(torch.cat([text, image, features], 1))


class Whole(nn.Module):
    def __init__(self, text, image, fusion):
        super().__init__()
        self.text, self.image, self.fusion = text, image, fusion
        self.shrink = nn.AvgPool2d(7)

    def forward(self, input_ids, attention_mask, pixels, features):
        both = self.fusion(self.text(input_ids, attention_mask), self.image(self.shrink(pixels)), features)
        return both[:, :1], both[:, 1:]


def loss_of(both, viral, velocity):
    return nn.functional.smooth_l1_loss(both[:, 1], velocity, beta=0.5) + 0.2 * nn.functional.binary_cross_entropy_with_logits(both[:, 0], viral)


def fit(parameters, forward, rows, viral, velocity, epochs, rate, seed, name, batch=128):
    optimiser = torch.optim.AdamW(parameters, lr=rate, weight_decay=1e-4)
    steps = epochs * math.ceil(rows / batch)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, rate, total_steps=steps)
    order = torch.Generator().manual_seed(seed)
    for epoch in range(epochs):
        total = 0.0
        for index in torch.randperm(rows, generator=order).split(batch):
            loss = loss_of(forward(index), viral[index], velocity[index])
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            schedule.step()
            total += loss.item() * len(index)
        print(f"{name} epoch {epoch + 1}: loss {total / rows:.4f}", flush=True)


def write_onnx(whole, path):
    example = (torch.ones(2, MAX_TOKENS, dtype=torch.long), torch.ones(2, MAX_TOKENS, dtype=torch.long), torch.zeros(2, 3, 224, 224), torch.zeros(2, len(FEATURES)))
    names = ["input_ids", "attention_mask", "pixels", "features"]
    outputs = ["viral_logit", "velocity"]
    torch.onnx.export(whole, example, str(path), opset_version=16, input_names=names, output_names=outputs, dynamic_axes={name: {0: "batch"} for name in names + outputs})
    model = onnx.load(str(path))
    onnx.checker.check_model(model)
    return hashlib.sha256(path.read_bytes()).hexdigest(), path.stat().st_size


def rewrite(path, version, digest, means, deviations, best, parameters):
    """Puts what training found into a model.yaml; everything else in it is written by people."""
    text = path.read_text()
    text = re.sub(r"(?m)^version: .*$", f"version: {version}", text)
    text = re.sub(r"(?m)^  sha256: [0-9a-f]{64}$", f"  sha256: {digest}", text, count=1)
    for name, mean, deviation in zip(FEATURES, means, deviations):
        text, found = re.subn(rf"\{{column: {name}, encode: standardize, mean: [^,]+, std: [^}}]+\}}", f"{{column: {name}, encode: standardize, mean: {mean:.6g}, std: {deviation:.6g}}}", text)
        assert found == 1, name
    for head, metric in (("viral", "auroc"), ("velocity", "mae")):
        text = re.sub(rf"(?m)^(    {head}: \{{{metric}: )[\d.]+", rf"\g<1>{best[metric]:.4f}", text)
    for part, name in (("text encoder", "text"), ("image encoder", "image"), ("fusion", "fusion")):
        text = re.sub(rf"(part: {part}, .*parameters: )\d+", rf"\g<1>{parameters[name]}", text)
    path.write_text(text)


def scores(logits, velocity, rows):
    return {"auroc": float(roc_auc_score(rows.viral.numpy(), logits)), "mae": float(mean_absolute_error(rows.velocity.numpy(), velocity))}


def main():
    started = time.time()
    torch.manual_seed(SEED)
    torch.set_num_threads(1)
    most = max(rows for _, rows, _, _ in VERSIONS.values())
    train, held = Rows(simulate.rows_of(SEED, most, "train")), Rows(simulate.rows_of(SEED + 1, EVAL_ROWS, "eval"))
    print(f"{most} training and {EVAL_ROWS} evaluation rows, {len(VOCABULARY)} tokens; z has mean {train.velocity.mean():.3f} and deviation {train.velocity.std():.3f}; {100 * train.viral.mean():.1f} % viral", flush=True)
    write_tokenizer(MODEL / "tokenizer.json")
    write_tokenizer(MODEL / "production" / "tokenizer.json")
    write_rows(held.rows, MODEL / "data" / "eval.jsonl")

    text, image = TextEncoder(), ImageEncoder()
    longest = int(train.mask.sum(1).max())
    part = slice(0, ENCODER_ROWS)
    # The encoders learn from what their part of the row leaves of the outcome; a head that is thrown away reads them.
    for name, encoder, encode in [("text", text, lambda i: text(train.ids[i, :longest], train.mask[i, :longest])), ("image", image, lambda i: image(normalised(train.pixels[i])))]:
        head = nn.Linear(32, 2)
        fit([*encoder.parameters(), *head.parameters()], lambda i: head(encode(i)), ENCODER_ROWS, train.viral[part], train.velocity[part], 6, 4e-3, SEED, name)
        for parameter in encoder.parameters():
            parameter.requires_grad_(False)
        encoder.eval()

    means, deviations = train.raw[:12_000].mean(0), train.raw[:12_000].std(0)
    # As model.yaml holds them.
    means, deviations = [np.array([float(f"{v:.6g}") for v in values]) for values in (means, deviations)]

    def frozen(rows):
        with torch.no_grad():
            parts = [(text(rows.ids[i, :longest], rows.mask[i, :longest]), image(normalised(rows.pixels[i]))) for i in torch.arange(len(rows.rows)).split(500)]
        return torch.cat([t for t, _ in parts]), torch.cat([i for _, i in parts]), torch.tensor((rows.raw - means) / deviations, dtype=torch.float32)

    known, asked = frozen(train), frozen(held)
    truth = np.array([row["appeal"] for row in held.rows])
    best = scores(truth, truth, held)
    metrics = {"rows": EVAL_ROWS, "viralShare": float(held.viral.mean()), "best": best, "versions": {}}
    print(f"best possible: {best}", flush=True)
    for version, (folder, rows, width, seed) in VERSIONS.items():
        torch.manual_seed(SEED + seed)
        fusion = Fusion(width)
        fit(list(fusion.parameters()), lambda i: fusion(*(one[i] for one in known)), rows, train.viral[:rows], train.velocity[:rows], 24, 3e-3, seed, version, 256)
        fusion.eval()
        whole = Whole(text, image, fusion).eval()
        with torch.no_grad():
            both = fusion(*asked).numpy()
        found = scores(both[:, 0], both[:, 1], held)
        digest, size = write_onnx(whole, folder / "model.onnx")
        parameters = {name: sum(p.numel() for p in module.parameters()) for name, module in (("text", text), ("image", image), ("fusion", fusion))}
        rewrite(folder / "model.yaml", version, digest, means, deviations, best, parameters)
        metrics["versions"][version] = {**found, "bytes": size, "sha256": digest, "trainingRows": rows, "parameters": parameters}
        print(f"{version}: {found}, {size} bytes, {parameters}", flush=True)
        if version == "1.1.0":
            reference = [{"id": row["id"], "ids": ids_of(text_of(row)), "raw": held.raw[i].tolist(), "viralLogit": float(both[i, 0]), "velocity": float(both[i, 1])} for i, row in enumerate(held.rows[:20])]
    (HERE / "reference.json").write_text("[\n" + ",\n".join(json.dumps(r) for r in reference) + "\n]\n")
    (HERE / "metrics.json").write_text(json.dumps(metrics, indent=2) + "\n")
    print(f"{time.time() - started:.0f} s")


def write_rows(rows, path):
    """The rows of the evaluation, with the columns that cut it into slices and without what no one would know."""
    with path.open("w") as out:
        for row in rows:
            kept = {key: row[key] for key in ("id", "title", "description", "thumbnail_url", "view_count", "like_count", "comment_count", "duration_seconds", "viral")}
            kept = {key: value for key, value in kept.items() if value is not None}
            kept |= {"viral": "yes" if row["viral"] else "no", "velocity": round(row["velocity"], 6), "short_video": "yes" if row["duration_seconds"] <= 60 else "no",
                     "has_thumbnail": "yes" if row["thumbnail_url"] else "no", "title_length": "short" if len(row["title"]) <= 40 else "long"}
            out.write(json.dumps(kept, separators=(",", ":")) + "\n")


if __name__ == "__main__":
    main()
