"""The peer of models/fraud: FastAPI with the same kind of trees in scikit-learn, and features as an online store has them.

    /usr/bin/python3 bench/systems/fraud_peer.py prepare FOLDER      # joined.csv -> peer.pickle
    /usr/bin/python3 bench/systems/fraud_peer.py PORT FOLDER         # serves it with two processes

As with Feast, features are made beforehand: the newest vector of each card and terminal lies in a dict, which costs less
than any online store. No window is computed when a payment comes. Debian's python3-fastapi, -uvicorn, -sklearn.
"""
import os
import pathlib
import pickle
import sys
from typing import List, Optional

import numpy as np

CARD = ["payments_15m", "payments_1h", "payments_1d", "payments_30d", "spend_1d", "spend_30d", "mean_30d"]
TERMINAL = ["payments_1d", "known_30d", "frauds_7d", "frauds_30d"]
DAY = 86_400_000
NAN = float("nan")


def vector(at, channel, amount, km, card, terminal):
    """The features of models/fraud, in its order."""
    return [amount, km, at % DAY // 3_600_000, (at // DAY + 3) % 7, channel == "pos", channel == "atm", channel == "online",
            amount * card[3] / max(card[5], 1), *card[:5], card[6], *terminal]


def prepare(folder):
    """Fits 200 trees of 31 leaves on joined payments, and keeps the newest vector of each key."""
    from sklearn.ensemble import HistGradientBoostingClassifier

    cards, terminals, rows, labels = {}, {}, [], []
    with open(folder / "joined.csv") as file:
        names = file.readline().strip().split(",")
        for line in file:
            cells = dict(zip(names, line.rstrip("\n").split(",")))
            card = [float(cells[f"card.{name}"] or NAN) for name in CARD]
            terminal = [float(cells[f"terminal.{name}"] or NAN) for name in TERMINAL]
            cards[cells["card_id"]], terminals[cells["terminal_id"]] = card, terminal
            rows.append(vector(int(cells["at"]), cells["channel"], float(cells["amount"]), float(cells["distance_km"]), card, terminal))
            labels.append(int(cells["fraud"]))
    model = HistGradientBoostingClassifier(max_iter=200, max_leaf_nodes=31, learning_rate=0.06, min_samples_leaf=20,
                                           early_stopping=False, random_state=7)
    model.fit(np.array(rows), np.array(labels))
    (folder / "peer.pickle").write_bytes(pickle.dumps((model, cards, terminals)))


if sys.argv[1] == "prepare":
    prepare(pathlib.Path(sys.argv[2]))
    sys.exit()

import uvicorn
from fastapi import FastAPI
from pydantic import BaseModel

app = FastAPI()
model, cards, terminals = pickle.loads((pathlib.Path(os.environ.get("PEER_FOLDER", sys.argv[-1])) / "peer.pickle").read_bytes())
NO_CARD, NO_TERMINAL = [0, 0, 0, 0, 0, 0, NAN], [0, 0, 0, 0]


class Payment(BaseModel):
    at: int
    card_id: str
    terminal_id: str
    channel: str
    amount: float
    distance_km: Optional[float] = 0


class Payments(BaseModel):
    rows: List[Payment]


def answer(payments):
    x = np.array([vector(p.at, p.channel, p.amount, p.distance_km, cards.get(p.card_id, NO_CARD), terminals.get(p.terminal_id, NO_TERMINAL))
                  for p in payments])
    answers = []
    for features, score in zip(x, model.predict_proba(x)[:, 1].tolist()):
        reasons = []
        if features[6] and features[0] < 3 and features[8] >= 2:
            score = max(score, 0.5)
            reasons.append("several payments with this card within a quarter of an hour, and a very small one online")
        if score >= 0.05:
            if features[17] >= 2:
                reasons.append("payments at this terminal were reported as fraud")
            if features[1] > 40:
                reasons.append("far from the customer's home")
            if features[7] > 3:
                reasons.append("more than three times the card's mean payment of 30 days")
            if features[10] >= 4:
                reasons.append("many payments with this card within a day")
        if features[11] == 0:
            reasons.append("the first payment of this card in 30 days")
        answers.append({"label": "fraud" if score >= 0.3715 else "genuine", "score": score, "reasons": reasons})
    return answers


@app.post("/predict")
def predict(payment: Payment):
    return answer([payment])[0]


@app.post("/predict/batch")
def predict_batch(payments: Payments):
    return {"predictions": answer(payments.rows)}


@app.get("/readyz")
def ready():
    return {}


if __name__ == "__main__":
    os.environ["PEER_FOLDER"] = sys.argv[2]
    sys.path.insert(0, str(pathlib.Path(__file__).parent))
    uvicorn.run("fraud_peer:app", host="127.0.0.1", port=int(sys.argv[1]), workers=2, log_level="error", access_log=False)
