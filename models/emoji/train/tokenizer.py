"""A WordPiece tokenizer for emoji names: its vocabulary, its tokenizer.json, and the same split in Python."""
import collections
import json
import re

PAD, UNKNOWN = 0, 1
SPECIAL = ["[PAD]", "[UNK]"]


def words(name):
    """What BertNormalizer (lower case) and BertPreTokenizer make of an ASCII name."""
    return re.findall(r"[a-z0-9]+|[^a-z0-9\s]", name.lower())


def vocabulary(names, least_words=3, least_endings=6):
    """Words of at least `least_words` names, and the endings (##s, ##ing, …) that turn at least `least_endings` of the
    other words into one of these."""
    counts = collections.Counter(word for name in names for word in set(words(name)))
    kept = {word for word, n in counts.items() if n >= least_words}
    endings = collections.Counter()
    for word in counts:
        if word in kept:
            continue
        for cut in range(len(word) - 1, 2, -1):
            if word[:cut] in kept:
                endings[word[cut:]] += 1
                break
    return SPECIAL + sorted(kept) + sorted("##" + ending for ending, n in endings.items() if n >= least_endings)


def encode(name, ids, longest=100):
    """Greedy longest match first, as WordPiece does; a word that does not come out even is [UNK]."""
    out = []
    for word in words(name):
        pieces, start = [], 0
        while start < len(word) and len(word) <= longest:
            end = len(word)
            while end > start and ("##" if start else "") + word[start:end] not in ids:
                end -= 1
            if end == start:
                break
            pieces.append(ids[("##" if start else "") + word[start:end]])
            start = end
        out += pieces if start == len(word) else [UNKNOWN]
    return out or [UNKNOWN]


def write(path, vocab):
    special = [{"id": i, "content": token, "single_word": False, "lstrip": False, "rstrip": False, "normalized": False,
                "special": True} for i, token in enumerate(SPECIAL)]
    path.write_text(json.dumps({
        "version": "1.0", "truncation": None, "padding": None, "added_tokens": special,
        "normalizer": {"type": "BertNormalizer", "clean_text": True, "handle_chinese_chars": True, "strip_accents": True, "lowercase": True},
        "pre_tokenizer": {"type": "BertPreTokenizer"}, "post_processor": None, "decoder": {"type": "WordPiece", "prefix": "##", "cleanup": True},
        "model": {"type": "WordPiece", "unk_token": "[UNK]", "continuing_subword_prefix": "##", "max_input_chars_per_word": 100,
                  "vocab": {token: i for i, token in enumerate(vocab)}},
    }, ensure_ascii=False, indent=1) + "\n")
