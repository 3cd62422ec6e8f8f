#!/usr/bin/python3
"""Makes items.csv, data/visits.csv and data/eval.jsonl of the visits in MSWeb.rda.

    python3 models/recommendation/data/prepare.py MSWeb.rda

MSWeb.rda is the file data/MSWeb.rda of the R package recommenderlab (CRAN's mirror on GitHub, cran/recommenderlab at
commit 738a932341b5893579c20cacd6edd7a5cf24b170): the Anonymous Microsoft Web Data of UCI as a sparse matrix. Needs
Python 3.11 and NumPy.
"""
import csv
import hashlib
import json
import lzma
import pathlib
import re
import struct
import sys

import numpy as np

MODEL = pathlib.Path(__file__).resolve().parent.parent
RDA_SHA256 = "f66b91c63077396e1ccc4a5ff814f2cb79304b999476668ffe91b659e637f5df"
SEED = 19980201
HELD_OUT = 5000


class Serialized:
    """R's serialization format 2 in XDR, as far as this file uses it (R Internals, section 1.8)."""

    def __init__(self, data):
        assert data[:7] == b"RDX2\nX\n", "not a file of R's save()"
        self.data, self.at, self.symbols = data, 7 + 12, []

    def integer(self):
        value, = struct.unpack_from(">i", self.data, self.at)
        self.at += 4
        return value

    def numbers(self, kind, size):
        count = self.integer()
        values = struct.unpack_from(f">{count}{kind}", self.data, self.at)
        self.at += size * count
        return list(values)

    def read(self):
        flags = self.integer()
        kind, attributed, tagged = flags & 255, bool(flags & 0x200), bool(flags & 0x400)
        if kind == 254:
            return None
        if kind == 255:
            return self.symbols[(flags >> 8) - 1]
        if kind == 1:
            self.symbols.append(self.read())
            return self.symbols[-1]
        if kind == 2:
            return self.pairs(attributed, tagged)
        if kind == 9:
            length = self.integer()
            self.at += max(0, length)
            return None if length < 0 else self.data[self.at - length:self.at].decode("latin1")
        if kind == 25:  # an S4 object is its slots
            return self.read()
        if kind in (10, 13):
            value = self.numbers("i", 4)
        elif kind == 14:
            value = self.numbers("d", 8)
        elif kind in (16, 19):
            value = [self.read() for _ in range(self.integer())]
        else:
            raise ValueError(f"R type {kind} at byte {self.at}")
        return (value, self.read()) if attributed else value

    def pairs(self, attributed, tagged):
        found = {}
        while True:
            if attributed:
                self.read()
            name = self.read() if tagged else str(len(found))
            found[name] = self.read()
            flags = self.integer()
            if flags & 255 == 254:
                return found
            attributed, tagged = bool(flags & 0x200), bool(flags & 0x400)


def slug(title):
    return re.sub(r"[^a-z0-9]+", "-", title.lower()).strip("-")


def main(path):
    packed = pathlib.Path(path).read_bytes()
    if hashlib.sha256(packed).hexdigest() != RDA_SHA256:
        sys.exit(f"{path}: another file; expected sha256 {RDA_SHA256}")
    visits = Serialized(lzma.decompress(packed)).read()["MSWeb"]["data"]
    titles = visits["itemInfo"][0][0]
    starts, pages = visits["data"]["p"], visits["data"]["i"]
    visitors = [pages[a:b] for a, b in zip(starts, starts[1:])]

    random = np.random.default_rng(SEED)
    # TopK gives equal scores to the lowest row. In the original order popular pages come first.
    order = random.permutation(len(titles))
    row_of = {int(page): row for row, page in enumerate(order)}
    ids = [slug(titles[page]) for page in order]
    assert len(set(ids)) == len(ids), "two pages have one id"
    with open(MODEL / "items.csv", "w", newline="") as file:
        rows = csv.writer(file, lineterminator="\n")
        rows.writerow(["page", "title"])
        rows.writerows([one, titles[page].strip()] for one, page in zip(ids, order))

    shuffled = [int(visitor) for visitor in random.permutation(len(visitors))]
    held_out = [visitor for visitor in shuffled if len(visitors[visitor]) >= 2][:HELD_OUT]
    asked = set(held_out)
    counts = np.zeros(len(ids), int)
    with open(MODEL / "data/visits.csv", "w", newline="") as file:
        rows = csv.writer(file, lineterminator="\n")
        rows.writerow(["visitor", "pages"])
        for visitor, own in enumerate(visitors):
            if visitor in asked:
                continue
            own = sorted(row_of[page] for page in own)
            counts[own] += 1
            rows.writerow([visitor + 1, " ".join(map(str, own))])

    # The most visited pages that make up half of all visits, those of the next 30 %, and the rest.
    by_count = np.argsort(-counts, kind="stable")
    before = np.cumsum(counts[by_count]) - counts[by_count]
    bands = {int(page): "head" if seen < 0.5 * counts.sum() else "middle" if seen < 0.8 * counts.sum() else "tail"
             for page, seen in zip(by_count, before)}
    sizes = {band: sum(one == band for one in bands.values()) for band in ("head", "middle", "tail")}
    with open(MODEL / "data/eval.jsonl", "w") as file:
        for visitor in sorted(held_out):
            own = [row_of[page] for page in visitors[visitor]]
            target = own.pop(int(random.integers(len(own))))
            row = {
                "id": f"visitor-{visitor + 1}",
                "visited": [ids[page] for page in sorted(own)],
                "next": [ids[target]],
                "popularity": bands[target],
                "history": "1 page" if len(own) == 1 else "2 pages" if len(own) == 2 else "3 or more",
            }
            file.write(json.dumps(row) + "\n")
    print(f"{len(ids)} pages {sizes}, {len(visitors) - len(asked)} visitors to train on, {len(asked)} held out")


if __name__ == "__main__":
    main(sys.argv[1])
