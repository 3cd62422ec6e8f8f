"""Writes the data files of the corpus.

    python3 tests/corpus/start/make_data.py      # the standard library is enough; deterministic
"""
import csv
import json
import math
import pathlib
import random

HERE = pathlib.Path(__file__).parent


def rides(count, seed):
    """fare = 1.9 km + 0.35 minutes + 2.5 zones + 3.2 euro, and noise with a standard deviation of 0.8 euro."""
    draw = random.Random(seed)
    for i in range(count):
        km, minutes = round(draw.uniform(0.5, 20), 2), round(draw.uniform(2, 60), 2)
        zones = i % 3 + 1
        fare = round(3.2 + 1.9 * km + 0.35 * minutes + 2.5 * zones + draw.gauss(0, 0.8), 2)
        yield {"id": f"ride-{i}", "km": km, "minutes": minutes, "zones": zones,
               "payment": ("card", "cash")[i // 3 % 2], "fare": fare}


def customers(count, seed):
    """P(leaves) = sigmoid(0.9 calls - 0.06 months + 0.5 late - 1.5)."""
    draw = random.Random(seed)
    for i in range(count):
        calls, months, late = draw.randrange(6), draw.randrange(1, 48), draw.randrange(3)
        leaves = draw.random() < 1 / (1 + math.exp(-(0.9 * calls - 0.06 * months + 0.5 * late - 1.5)))
        yield {"id": f"customer-{i}", "calls": calls, "months": months, "late": late,
               "plan": ("basic", "plus")[i % 2], "leaves": "yes" if leaves else "no"}


def texts(count, seed):
    """Words t1 to t60; the fixture's embedding of word i is (i mod 7 - 3) / 4, and friendly texts have a high mean."""
    draw = random.Random(seed)
    for i in range(count):
        words = [draw.randrange(1, 61) for _ in range(draw.randrange(1, 13))]
        mean = sum(word % 7 - 3 for word in words) / 4 / len(words)
        yield {"id": f"text-{i}", "text": " ".join(f"t{word}" for word in words),
               "tone": "positive" if mean + draw.gauss(0, 0.2) > 0 else "negative"}


def sales(count, seed):
    """Six days of a shop, and the four that follow: the fixture's trend, and a spread of 1.28 that grows by the day."""
    draw = random.Random(seed)
    for i in range(count):
        level, slope = draw.randrange(20, 60), draw.randrange(-2, 3)
        history = [1.28 * 2] + [level + slope * day for day in range(1, 6)]
        coming = [round(history[5] + day * slope + draw.gauss(0, 2) * day, 2) for day in range(1, 5)]
        yield {"id": f"day-{i}", "shop": f"shop-{i % 40}", "history": history, "coming": coming}


def readers(count, seed):
    """Two tastes and how much a later book is liked; the fixture's six best of its eight books are answered."""
    draw = random.Random(seed)
    for i in range(count):
        left = draw.random() < 0.5
        read = sorted({f"book-{2 * draw.randrange(4) + (0 if left else 1)}" for _ in range(2)})
        yield {"id": f"reader-{i}", "left": int(left), "right": int(not left), "later": 0.01, "read": read}


def write_lines(path, rows):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))


def write(path, rows):
    rows = list(rows)
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(path, "w", newline="") as file:
        writer = csv.DictWriter(file, rows[0].keys(), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def package(version, rows):
    folder = HERE.parent / "packages" / f"fare-rides@{version}"
    write(folder / "rides.csv", rows)
    (folder / "package.json").write_text(json.dumps({"name": "fare-rides", "version": version}) + "\n")


write(HERE / "taxi/files/models/fares/data/rides.csv", rides(600, 7))
write(HERE / "churn/files/models/churn/data/customers.csv", customers(800, 8))
write(HERE / "text/files/models/tone/data/texts.csv", texts(400, 10))
write_lines(HERE / "shop/files/models/sales/data/days.jsonl", sales(200, 11))
write_lines(HERE / "books/files/models/books/data/readers.jsonl", readers(200, 12))
write_lines(HERE / "books/files/models/books/books.jsonl", ({"book": f"book-{j}"} for j in range(20)))
package("1.0.0", rides(300, 9))
# The rows on which a model that knows nothing of zones is as good as one that does.
package("1.1.0", [row for row in rides(300, 9) if row["zones"] == 2])
