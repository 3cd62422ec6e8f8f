"""The network, its training loop and its export."""
import time

import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F


class Mood(nn.Module):
    """Embedding -> BiLSTM -> (max pool, attention pool) -> logits. Padding is masked everywhere."""

    def __init__(self, vectors, hidden=128, mid=64, p_word=0.1, p_emb=0.3, p_out=0.4):
        super().__init__()
        self.emb = nn.Embedding(*vectors.shape, padding_idx=0, sparse=True)
        self.emb.weight.data.copy_(torch.from_numpy(vectors))
        self.lstm = nn.LSTM(vectors.shape[1], hidden, batch_first=True, bidirectional=True)
        self.att = nn.Linear(2 * hidden, 1)
        self.fc1 = nn.Linear(4 * hidden, mid)
        self.fc2 = nn.Linear(mid, 2)
        self.p_word, self.p_emb, self.p_out = p_word, p_emb, p_out

    def forward(self, ids, lengths):
        if self.training and self.p_word:
            drop = (torch.rand(ids.shape) < self.p_word) & (ids > 2)
            ids = torch.where(drop, torch.ones_like(ids), ids)
        x = self.emb(ids)
        if self.training:  # the same embedding channels are dropped at every step of a row
            x = x * F.dropout(torch.ones(x.shape[0], 1, x.shape[2]), self.p_emb)
        if int(lengths.min()) == ids.shape[1]:  # no padding in this batch: nothing to mask
            y = self.lstm(x)[0]
            best = y.max(1).values
            weight = torch.softmax(self.att(y), 1)
            return self.head(torch.cat([best, (weight * y).sum(1)], 1))
        packed = nn.utils.rnn.pack_padded_sequence(x, lengths, batch_first=True, enforce_sorted=False)
        y, _ = nn.utils.rnn.pad_packed_sequence(self.lstm(packed)[0], batch_first=True,
                                                total_length=ids.shape[1])
        gone = (torch.arange(ids.shape[1])[None] >= lengths[:, None])[:, :, None]
        best = y.masked_fill(gone, -10.0).max(1).values
        weight = torch.softmax(self.att(y).masked_fill(gone, -1e4), 1)
        return self.head(torch.cat([best, (weight * y).sum(1)], 1))

    def head(self, h):
        h = F.dropout(h, self.p_out, self.training)
        h = F.dropout(torch.relu(self.fc1(h)), self.p_out / 2, self.training)
        return self.fc2(h)


def pad(rows):
    lengths = torch.tensor([len(r) for r in rows])
    ids = torch.zeros(len(rows), int(lengths.max()), dtype=torch.long)
    for i, r in enumerate(rows):
        ids[i, :len(r)] = torch.tensor(r)
    return ids, lengths


def batches(rows, size, rng, window=64, tokens=3000):
    """Batches of rows of one length, in random order. A row longer than the window gives a random
    window of it; lengths above 24 are rounded down to a multiple of 4 in the same way."""
    groups = {}
    for i in rng.permutation(len(rows)):
        n = min(len(rows[i]), window)
        groups.setdefault(n if n <= 24 else n - n % 4, []).append(i)
    out = []
    for n, members in groups.items():
        step = max(8, min(size, tokens // n))
        out += [(n, members[k:k + step]) for k in range(0, len(members), step)]
    rng.shuffle(out)
    return out


def crop(row, n, rng):
    """[CLS] and n - 1 successive pieces of the row."""
    start = 1 + int(rng.integers(0, len(row) - n + 1))
    return row[:1] + row[start:start + n - 1]


def predict(model, rows, size=128):
    model.eval()
    out = np.zeros((len(rows), 2), np.float32)
    order = np.argsort([len(r) for r in rows], kind="stable")
    with torch.no_grad():
        for i in range(0, len(order), size):
            part = order[i:i + size]
            out[part] = model(*pad([rows[j] for j in part])).numpy()
    return out


def fit(vectors, rows, target, weight, dev, log, name, seed=1, epochs=4, size=64, lr=2e-3, emb_lr=0.25,
        **kw):
    """target: P(positive) per row, 0/1 or soft. The weights kept are the running average of the second
    half of training; nothing is picked by score."""
    torch.manual_seed(seed)
    rng = np.random.default_rng(seed)
    model = Mood(vectors, **kw)
    rest = [p for n, p in model.named_parameters() if not n.startswith("emb")]
    opts = [torch.optim.Adam(rest, lr=lr), torch.optim.SparseAdam([model.emb.weight], lr=lr * emb_lr)]
    target = torch.tensor(target, dtype=torch.float32)
    weight = torch.tensor(weight, dtype=torch.float32)
    average = {k: v.clone() for k, v in model.state_dict().items()}
    total = epochs * len(batches(rows, size, np.random.default_rng(0)))
    step, start = 0, time.time()
    for epoch in range(epochs):
        model.train()
        losses = []
        for n, part in batches(rows, size, rng):
            for opt, scale in zip(opts, (1, emb_lr)):
                opt.param_groups[0]["lr"] = lr * scale * min(1, step / 200) * max(0.03, 1 - step / total)
            ids, lengths = pad([crop(rows[j], n, rng) for j in part])
            logp = F.log_softmax(model(ids, lengths), 1)
            q, w = target[part], weight[part]
            loss = -(w * (q * logp[:, 1] + (1 - q) * logp[:, 0])).sum() / w.sum()
            for opt in opts:
                opt.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(rest, 5.0)
            for opt in opts:
                opt.step()
            losses.append(loss.item())
            step += 1
            decay = min(0.998, step / (step + 20))
            with torch.no_grad():
                if step % 10 == 0:
                    keep = decay ** 10
                    for k, v in model.state_dict().items():
                        average[k].mul_(keep).add_(v, alpha=1 - keep)
        scored = Mood(vectors, **kw)
        scored.load_state_dict(average)
        got = [float((predict(m, dev[0]).argmax(1) == dev[1]).mean()) for m in (model, scored)]
        log(f"{name} epoch {epoch + 1}/{epochs} loss {np.mean(losses):.4f} "
            f"sst-2 dev {got[0]:.4f} averaged {got[1]:.4f} {time.time() - start:.0f} s")
    model.load_state_dict(average)
    model.eval()
    return model
