"""The two encoders, the network that joins them, how each is trained, and the ONNX file."""
import hashlib

import onnx
import torch
import torch.nn as nn
import torch.nn.functional as F

TEXT, IMAGE = 16, 32


class TextEncoder(nn.Module):
    """ids, mask [batch, sequence] -> [batch, TEXT]: the mean of the word vectors of a row's own tokens."""

    def __init__(self, vocabulary):
        super().__init__()
        self.vectors = nn.Embedding(vocabulary, TEXT)

    def forward(self, ids, mask):
        weight = mask.to(torch.float32).unsqueeze(2)
        return (self.vectors(ids) * weight).sum(1) / weight.sum(1)


class ImageEncoder(nn.Module):
    """pixels [batch, 3, 32, 32], from -0.5 to 0.5 -> [batch, IMAGE]."""

    def __init__(self):
        super().__init__()
        self.layers = nn.Sequential(nn.Conv2d(3, 16, 3, 2, 1), nn.ReLU(), nn.Conv2d(16, 32, 3, 2, 1), nn.ReLU(),
                                    nn.Conv2d(32, IMAGE, 3, 2, 1), nn.ReLU())

    def forward(self, pixels):
        return self.layers(pixels).mean((2, 3))


class Standardized(nn.Module):
    """An encoder whose outputs have mean 0 and standard deviation 1 on the rows that it was trained on."""

    def __init__(self, encoder, seen):
        super().__init__()
        self.encoder = encoder
        self.register_buffer("mean", seen.mean(0))
        self.register_buffer("std", seen.std(0) + 1e-3)

    def forward(self, *inputs):
        return (self.encoder(*inputs) - self.mean) / self.std


def pretrain(encoder, batch, target, classes, width, seed, epochs, augment=lambda inputs: inputs):
    """Teaches an encoder the subcategory of emoji without a count, then freezes it.

    batch(i) gives the inputs of the rows i; the last loss is returned beside the encoder."""
    generator = torch.Generator().manual_seed(seed)
    head = nn.Linear(width, classes)
    optimizer = torch.optim.AdamW([*encoder.parameters(), *head.parameters()], 3e-3, weight_decay=1e-2)
    for _ in range(epochs):
        order = torch.randperm(len(target), generator=generator)
        total = 0.0
        for rows in order.split(64):
            hidden = F.dropout(encoder(*augment(batch(rows))), 0.2)
            loss = F.cross_entropy(head(hidden), target[rows])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            total += loss.item() * len(rows)
    encoder.requires_grad_(False).eval()
    with torch.no_grad():
        return Standardized(encoder, encoder(*batch(torch.arange(len(target))))), total / len(target)


class Fusion(nn.Module):
    """features [batch, width] -> [batch, 3]: logits of other and popular, and the standardised log count."""

    def __init__(self, width, hidden):
        super().__init__()
        self.hidden, self.out, self.linear = nn.Linear(width, hidden), nn.Linear(hidden, 3), nn.Linear(width, 3, bias=False)
        nn.init.zeros_(self.linear.weight)

    def forward(self, x):
        return self.out(F.dropout(torch.relu(self.hidden(x)), 0.3, self.training)) + self.linear(x)


def fit(features, popular, target, seed, hidden, decay, epochs):
    """Full-batch AdamW on cross-entropy plus smooth L1 on the log count, the step falling to 0 over the epochs."""
    torch.manual_seed(seed)
    fusion = Fusion(features.shape[1], hidden)
    optimizer = torch.optim.AdamW(fusion.parameters(), 1e-2, weight_decay=decay)
    schedule = torch.optim.lr_scheduler.LinearLR(optimizer, 1.0, 0.0, epochs)
    for _ in range(epochs):
        out = fusion(features)
        loss = F.cross_entropy(out[:, :2], popular) + F.smooth_l1_loss(out[:, 2], target, beta=0.25)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
    return fusion.eval()


class Emoji(nn.Module):
    """The mean of several (text encoder, image encoder, fusion) in one graph."""

    def __init__(self, members):
        super().__init__()
        self.members = nn.ModuleList(nn.ModuleList(member) for member in members)

    def forward(self, input_ids, attention_mask, pixels, features):
        out = sum(fusion(torch.cat([text(input_ids, attention_mask), image(pixels), features], 1))
                  for text, image, fusion in self.members) / len(self.members)
        return out[:, :2], out[:, 2:]


def export(model, example, path, version):
    """Writes the ONNX file, opset 16. Returns its sha256 and size."""
    names, outputs = ["input_ids", "attention_mask", "pixels", "features"], ["popular", "log_count"]
    axes = {name: {0: "batch"} for name in names + outputs}
    for name in names[:2]:
        axes[name][1] = "sequence"
    torch.onnx.export(model.eval(), example, str(path), opset_version=16, input_names=names, output_names=outputs, dynamic_axes=axes)
    graph = onnx.load(str(path))
    graph.producer_name, graph.producer_version = "emoji", version
    onnx.checker.check_model(graph, full_check=True)
    path.write_bytes(graph.SerializeToString())
    return hashlib.sha256(path.read_bytes()).hexdigest(), path.stat().st_size
