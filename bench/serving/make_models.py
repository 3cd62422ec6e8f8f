"""Writes the models that bench/serving.ts measures with, random weights, into the folder named by the first argument.

    /usr/bin/python3 bench/serving/make_models.py .cache/bench-serving      # Debian's python3-torch

mlp: 32 -> 64 -> 1. encoder: the size of DistilBERT (6 layers of 768, 12 heads, vocabulary 30522), two labels.
"""
import pathlib
import sys

import torch

out = pathlib.Path(sys.argv[1])
out.mkdir(parents=True, exist_ok=True)
torch.manual_seed(1)

mlp = torch.nn.Sequential(torch.nn.Linear(32, 64), torch.nn.ReLU(), torch.nn.Linear(64, 1)).eval()
torch.save(mlp.state_dict(), out / "mlp.pt")
torch.onnx.export(mlp, torch.zeros(1, 32), out / "mlp.onnx", input_names=["features"], output_names=["prediction"], dynamic_axes={"features": {0: "batch"}, "prediction": {0: "batch"}}, opset_version=16)


class Encoder(torch.nn.Module):
    """Written out (no fused fast path), so that it exports."""

    def __init__(self, layers=6, width=768, heads=12, vocabulary=30522, longest=512):
        super().__init__()
        self.heads = heads
        self.words = torch.nn.Embedding(vocabulary, width)
        self.places = torch.nn.Embedding(longest, width)
        self.blocks = torch.nn.ModuleList(torch.nn.ModuleDict({
            "qkv": torch.nn.Linear(width, 3 * width), "out": torch.nn.Linear(width, width), "norm1": torch.nn.LayerNorm(width),
            "up": torch.nn.Linear(width, 4 * width), "down": torch.nn.Linear(4 * width, width), "norm2": torch.nn.LayerNorm(width),
        }) for _ in range(layers))
        self.head = torch.nn.Linear(width, 2)

    def forward(self, ids, mask):
        x = self.words(ids) + self.places(torch.arange(ids.shape[1]))
        bias = (1.0 - mask[:, None, None, :].float()) * -1e9
        for block in self.blocks:
            q, k, v = block["qkv"](x).reshape(ids.shape[0], ids.shape[1], 3, self.heads, -1).permute(2, 0, 3, 1, 4)
            weights = torch.softmax(q @ k.transpose(-1, -2) / q.shape[-1] ** 0.5 + bias, -1)
            x = block["norm1"](x + block["out"]((weights @ v).transpose(1, 2).reshape(x.shape)))
            x = block["norm2"](x + block["down"](torch.nn.functional.gelu(block["up"](x))))
        return self.head(x[:, 0])


ids = torch.ones(2, 8, dtype=torch.int64)
axes = {0: "batch", 1: "sequence"}
torch.onnx.export(Encoder().eval(), (ids, ids), out / "encoder.onnx", input_names=["input_ids", "attention_mask"], output_names=["logits"], dynamic_axes={"input_ids": axes, "attention_mask": axes, "logits": {0: "batch"}}, opset_version=16)
