"""Small graphs with the names and cache shapes of each family of Optimum's exports, and what a torch loop makes of them.

    apt-get install --no-install-recommends python3-torch python3-onnx
    /usr/bin/python3 tests/models/core/generate/make_families.py

Random weights: what is proved is the loop, not a model. The torch loop computes every step anew, without a cache, and one
row at a time, so that cache, masks and batches of the graphs are held against something that has none of them.
"""

import json
import math
import os

import onnx
import torch
from onnx import TensorProto, helper
from torch import nn

OUT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "families")
VOCABULARY, WIDTH, HEADS, LAYERS, PLACES = 40, 16, 2, 2, 64


class Attention(nn.Module):
    def __init__(self, kv_heads=HEADS):
        super().__init__()
        self.kv_heads = kv_heads
        size = WIDTH // HEADS
        self.q, self.o = nn.Linear(WIDTH, WIDTH), nn.Linear(WIDTH, WIDTH)
        self.k, self.v = nn.Linear(WIDTH, kv_heads * size), nn.Linear(WIDTH, kv_heads * size)

    def split(self, x, heads):
        return x.view(x.shape[0], x.shape[1], heads, WIDTH // HEADS).transpose(1, 2)

    def keys(self, x):
        return self.split(self.k(x), self.kv_heads), self.split(self.v(x), self.kv_heads)

    def forward(self, x, k, v, mask):
        q = self.split(self.q(x), HEADS)
        if self.kv_heads != HEADS:
            k, v = k.repeat(1, HEADS // self.kv_heads, 1, 1), v.repeat(1, HEADS // self.kv_heads, 1, 1)
        scores = q @ k.transpose(2, 3) / math.sqrt(WIDTH // HEADS)
        if mask is not None:
            scores = scores + (1.0 - mask) * -1e9
        mixed = (torch.softmax(scores, -1) @ v).transpose(1, 2)
        return self.o(mixed.reshape(x.shape[0], x.shape[1], WIDTH))


class Layer(nn.Module):
    def __init__(self, cross, kv_heads=HEADS):
        super().__init__()
        self.own = Attention(kv_heads)
        self.cross = Attention() if cross else None
        self.ff = nn.Sequential(nn.Linear(WIDTH, 2 * WIDTH), nn.ReLU(), nn.Linear(2 * WIDTH, WIDTH))
        self.norms = nn.ModuleList(nn.LayerNorm(WIDTH) for _ in range(3))


class Encoder(nn.Module):
    """Token ids with a mask, or features [rows, 4, 12]."""

    def __init__(self, kind):
        super().__init__()
        self.kind = kind
        self.embed = nn.Embedding(VOCABULARY, WIDTH) if kind == "ids" else nn.Linear(4, WIDTH)
        self.place = nn.Embedding(PLACES, WIDTH)
        self.layer = Layer(False)

    def forward(self, x, mask=None):
        if self.kind == "features":
            x = x.transpose(1, 2)
        x = self.embed(x) + self.place(torch.arange(x.shape[1]))
        layer = self.layer
        k, v = layer.own.keys(x)
        x = layer.norms[0](x + layer.own(x, k, v, None if mask is None else mask[:, None, None, :].float()))
        return layer.norms[1](x + layer.ff(x))


class Decoder(nn.Module):
    def __init__(self, cross, kv_heads=HEADS):
        super().__init__()
        self.embed = nn.Embedding(VOCABULARY, WIDTH)
        self.place = nn.Embedding(PLACES, WIDTH)
        self.layers = nn.ModuleList(Layer(cross, kv_heads) for _ in range(LAYERS))
        self.out = nn.Linear(WIDTH, VOCABULARY)

    def forward(self, ids, hidden=None, cross_mask=None, past=None, cross=None, mask=None, positions=None, at=None):
        """past, cross: a (key, value) of each layer. at: where the tokens stand.

        Returns logits, the new past and the cross keys and values.
        """
        before = 0 if past is None else past[0][0].shape[2]
        length = ids.shape[1]
        places = torch.arange(length) + before if at is None else at
        x = self.embed(ids) + self.place(places if positions is None else positions)
        seen = (torch.arange(before + length)[None, :] <= places[:, None]).float()[None, None]
        if mask is not None:
            seen = seen * mask[:, None, None, :].float()
        made, made_cross = [], []
        for i, layer in enumerate(self.layers):
            k, v = layer.own.keys(x)
            if past is not None:
                k, v = torch.cat([past[i][0], k], 2), torch.cat([past[i][1], v], 2)
            made.append((k, v))
            x = layer.norms[0](x + layer.own(x, k, v, seen))
            if layer.cross is not None:
                pair = layer.cross.keys(hidden) if cross is None else cross[i]
                made_cross.append(pair)
                attend = None if cross_mask is None else cross_mask[:, None, None, :].float()
                x = layer.norms[1](x + layer.cross(x, pair[0], pair[1], attend))
            x = layer.norms[2](x + layer.ff(x))
        return self.out(x) * 3, made, made_cross


class Wrapped(nn.Module):
    def __init__(self, call, *parts):
        super().__init__()
        self.call, self.parts = call, nn.ModuleList(parts)

    def forward(self, *inputs):
        return self.call(*inputs)


def flat(pairs):
    return [tensor for pair in pairs for tensor in pair]


def paired(tensors):
    return [(tensors[i], tensors[i + 1]) for i in range(0, len(tensors), 2)]


def names(prefix, side):
    return [f"{prefix}.{i}.{side}{part}" for i in range(LAYERS) for part in ("key", "value")]


def export(name, call, parts, inputs, outputs, axes):
    """inputs: name → example. axes: part of a name → its dynamic axes."""
    path = os.path.join(OUT, name)
    dynamic = {}
    for one in [*inputs, *outputs]:
        found = next((value for part, value in axes if part in one), None)
        if found:
            dynamic[one] = found
    torch.onnx.export(
        Wrapped(call, *parts).eval().requires_grad_(False), tuple(inputs.values()), path,
        input_names=list(inputs), output_names=outputs, dynamic_axes=dynamic, opset_version=16,
    )
    return path


def prefixed(graph, prefix, outer):
    """The graph's nodes and weights under names of their own; what is an input keeps its name."""
    def renamed(name):
        return name if name in outer or name == "" else prefix + name
    for node in graph.node:
        node.input[:] = [renamed(one) for one in node.input]
        node.output[:] = [renamed(one) for one in node.output]
        node.name = prefix + node.name
    for weight in graph.initializer:
        weight.name = prefix + weight.name
    for output in graph.output:
        output.name = prefix + output.name
    return graph


def merge(name, without, with_past):
    """As Optimum merges: an If on use_cache_branch. The branch with a cache gives the encoder's side back empty."""
    first, second = onnx.load(without).graph, onnx.load(with_past).graph
    inputs = {one.name: one for one in [*first.input, *second.input]}
    outputs = [one.name for one in first.output]
    infos = list(onnx.load(without).graph.output)
    for info in infos:
        if info.name.startswith("present") and ".decoder." in info.name:
            info.type.tensor_type.shape.dim[2].dim_param = "past_and_new"
    first, second = prefixed(first, "without.", inputs), prefixed(second, "with.", inputs)
    have = {one.name for one in second.output}
    for output in outputs:
        if "with." + output not in have:
            empty = helper.make_tensor(output, TensorProto.FLOAT, [0, HEADS, 1, WIDTH // HEADS], [])
            second.node.append(helper.make_node("Constant", [], ["with." + output], value=empty))
            second.output.append(helper.make_tensor_value_info("with." + output, TensorProto.FLOAT, None))
    ordered = {one.name: one for one in second.output}
    then = helper.make_graph(list(second.node), "with", [], [ordered["with." + one] for one in outputs], list(second.initializer))
    other = helper.make_graph(list(first.node), "without", [], list(first.output), list(first.initializer))
    branch = helper.make_tensor_value_info("use_cache_branch", TensorProto.BOOL, [1])
    node = helper.make_node("If", ["use_cache_branch"], outputs, then_branch=then, else_branch=other)
    graph = helper.make_graph([node], "merged", [*inputs.values(), branch], infos)
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 16)], ir_version=8), os.path.join(OUT, name))
    os.remove(without)
    os.remove(with_past)


B, S, T = {0: "batch_size"}, {0: "batch_size", 1: "encoder_sequence_length"}, {0: "batch_size", 1: "decoder_sequence_length"}
AXES = [
    ("num_logits_to_keep", {}),
    ("encoder.key", {0: "batch_size", 2: "encoder_sequence_length_out"}), ("encoder.value", {0: "batch_size", 2: "encoder_sequence_length_out"}),
    (".key", {0: "batch_size", 2: "past_sequence_length"}), (".value", {0: "batch_size", 2: "past_sequence_length"}),
    ("encoder_hidden_states", S), ("last_hidden_state", S), ("encoder_attention_mask", S),
    ("attention_mask", {0: "batch_size", 1: "total_sequence_length"}), ("input_features", B),
    ("input_ids", T), ("position_ids", T), ("cache_position", {0: "decoder_sequence_length"}), ("logits", T),
]


def example_cache(length, heads=HEADS):
    return [torch.randn(2, heads, length, WIDTH // HEADS) for _ in range(2 * LAYERS)]


def encoder_decoder(family, kind, merged, masked):
    # Some exports of Whisper are told where the new tokens stand.
    placed = family == "whisper"
    encoder, decoder = Encoder(kind), Decoder(True)
    ids = torch.randint(3, VOCABULARY, (2, 3))
    hidden, mask = torch.randn(2, 5, WIDTH), torch.ones(2, 5, dtype=torch.int64)
    example = {"ids": torch.randint(3, VOCABULARY, (2, 5)), "features": torch.randn(2, 4, 12)}[kind]
    inputs = {{"ids": "input_ids", "features": "input_features"}[kind]: example}
    if kind == "ids":
        inputs["attention_mask"] = mask
    export(f"{family}-encoder.onnx", lambda *x: encoder(*x), [encoder], inputs, ["last_hidden_state"], AXES)

    def first(ids, *rest):
        rest = list(rest)
        at = rest.pop() if placed else None
        logits, own, cross = decoder(ids, rest[-1], rest[0] if masked else None, at=at)
        both = [one for i in range(LAYERS) for one in (*own[i], *cross[i])]
        return (logits, *both)

    def following(ids, *rest):
        rest = list(rest)
        at = rest.pop() if placed else None
        cross_mask = rest.pop(0) if masked else None
        own, cross = paired(rest[: 2 * LAYERS]), paired(rest[2 * LAYERS :])
        logits, own, _ = decoder(ids, None, cross_mask, own, cross, at=at)
        return (logits, *flat(own))

    where = lambda start, count: {"cache_position": torch.arange(start, start + count)} if placed else {}
    extra = {"encoder_attention_mask": mask} if masked else {}
    presents = [f"present.{i}.{side}.{part}" for i in range(LAYERS) for side in ("decoder", "encoder") for part in ("key", "value")]
    path = export(f"{family}-decoder.onnx", first, [decoder], {"input_ids": ids, **extra, "encoder_hidden_states": hidden, **where(0, 3)}, ["logits", *presents], AXES)
    cached = dict(zip(names("past_key_values", "decoder."), example_cache(4)))
    cached.update(zip(names("past_key_values", "encoder."), example_cache(5)))
    past = export(f"{family}-with-past.onnx", following, [decoder], {"input_ids": ids[:, :1], **extra, **cached, **where(4, 1)}, ["logits", *names("present", "decoder.")], AXES)
    if merged:
        merge(f"{family}-merged.onnx", path, past)

    def run(source, made):
        """Logits after the tokens of one row, all computed anew."""
        hidden = encoder(torch.tensor([source]) if kind != "features" else torch.tensor(source)[None])
        return decoder(torch.tensor([made]), hidden)[0][0, -1]

    return run


def step_export(family):
    """An encoder that gives keys and values once, and one step graph whose past may be empty: no If."""
    encoder, decoder = Encoder("ids"), Decoder(True)
    ids, mask = torch.randint(3, VOCABULARY, (2, 5)), torch.ones(2, 5, dtype=torch.int64)

    def once(ids, mask):
        hidden = encoder(ids, mask)
        return tuple(flat([layer.cross.keys(hidden) for layer in decoder.layers]))

    def step(ids, mask, *rest):
        logits, own, _ = decoder(ids, None, mask, paired(rest[: 2 * LAYERS]), paired(rest[2 * LAYERS :]))
        return (logits, *flat(own))

    export(f"{family}-encoder.onnx", once, [encoder, decoder], {"input_ids": ids, "attention_mask": mask}, names("present", "encoder."), AXES)
    cached = dict(zip(names("past_key_values", "decoder."), example_cache(4)))
    cached.update(zip(names("past_key_values", "encoder."), example_cache(5)))
    export(f"{family}-step.onnx", step, [decoder], {"input_ids": ids[:, :3], "encoder_attention_mask": mask, **cached}, ["logits", *names("present", "decoder.")], AXES)
    return lambda source, made: decoder(torch.tensor([made]), encoder(torch.tensor([source])))[0][0, -1]


def decoder_only(family, kv_heads):
    decoder = Decoder(False, kv_heads)
    ids = torch.randint(3, VOCABULARY, (2, 3))

    # Some exports of Llama are told of how many tokens the logits are wanted.
    counted = family == "llama"

    def model(ids, mask, positions, *past):
        past = list(past)
        keep = past.pop() if counted else None
        logits, own, _ = decoder(ids, past=paired(past), mask=mask, positions=positions)
        return (logits if keep is None else logits[:, -keep:], *flat(own))

    inputs = {"input_ids": ids, "attention_mask": torch.ones(2, 7, dtype=torch.int64), "position_ids": torch.arange(4, 7)[None].repeat(2, 1)}
    inputs.update(zip(names("past_key_values", ""), example_cache(4, kv_heads)))
    if counted:
        inputs["num_logits_to_keep"] = torch.tensor(1)
    export(f"{family}-model.onnx", model, [decoder], inputs, ["logits", *names("present", "")], AXES)
    return lambda _, made: decoder(torch.tensor([made]))[0][0, -1]


def allowed(scores, tokens, made, rules):
    scores = scores.clone()
    penalty = rules.get("repetitionPenalty", 1)
    for token in set(tokens):
        scores[token] = scores[token] / penalty if scores[token] > 0 else scores[token] * penalty
    n = rules.get("noRepeatNgram", 0)
    if n > 0:
        seen = [tuple(tokens[i : i + n]) for i in range(len(tokens) - n + 1)]
        for token in range(len(scores)):
            if tuple([*tokens[len(tokens) - n + 1 :], token]) in seen:
                scores[token] = -math.inf
    if made < rules.get("minTokens", 0):
        scores[rules["end"]] = -math.inf
    for token in [*rules.get("suppress", []), *(rules.get("beginSuppress", []) if made == 0 else [])]:
        scores[token] = -math.inf
    if made == 0 and "forcedFirst" in rules:
        scores = torch.full_like(scores, -math.inf)
        scores[rules["forcedFirst"]] = 0
    return scores


def greedy(run, source, start, rules):
    made = []
    while len(made) < rules["maxTokens"]:
        tokens = [*start, *made]
        made.append(int(allowed(run(source, tokens), tokens, len(made), rules).argmax()))
        if made[-1] == rules["end"]:
            break
    return made


def beams(run, source, start, rules):
    """Of transformers' BeamSearchScorer: 2n candidates, ends among the best n, length penalty over the made tokens."""
    count, power = rules["beams"], rules.get("lengthPenalty", 1)
    live, ended = [([], 0.0)], []
    while True:
        candidates = []
        for made, score in live:
            tokens = [*start, *made]
            logs = allowed(torch.log_softmax(run(source, tokens), -1), tokens, len(made), rules)
            candidates += [(score + float(logs[token]), made, token) for token in range(len(logs))]
        candidates = sorted(candidates, key=lambda one: -one[0])[: 2 * count]
        length = len(live[0][0]) + 1
        top, live = candidates[0][0], []
        for rank, (score, made, token) in enumerate(candidates):
            if token == rules["end"]:
                if rank < count:
                    ended = sorted([*ended, (score / length**power, [*made, token])], key=lambda one: -one[0])[:count]
            elif len(live) < count:
                live.append(([*made, token], score))
            if len(live) == count:
                break
        done = len(ended) == count and (rules.get("earlyStopping", False) or ended[-1][0] >= top / length**power)
        if not done and length >= rules["maxTokens"]:
            ended = sorted([*ended, *((score / length**power, made) for made, score in live)], key=lambda one: -one[0])
            done = True
        if done:
            return ended[0][1]


WAYS = [
    {}, {"noRepeatNgram": 2}, {"repetitionPenalty": 1.4}, {"suppress": [5, 9, 17], "beginSuppress": [2]},
    {"minTokens": 6, "forcedFirst": 11}, {"beams": 3}, {"beams": 4, "lengthPenalty": 0.4, "noRepeatNgram": 2},
    {"beams": 3, "lengthPenalty": 2.0, "earlyStopping": True},
]


def expected(run, sources, starts, base):
    answers = []
    for way in WAYS:
        rules = {**base, **way}
        answers.append({
            "way": way,
            "made": [(beams if "beams" in way else greedy)(run, source, start, rules) for source, start in zip(sources, starts)],
        })
    return answers


def main():
    os.makedirs(OUT, exist_ok=True)
    reference = {}
    texts = [[int(one) for one in torch.randint(3, VOCABULARY, (length,), generator=torch.Generator().manual_seed(length))] for length in (2, 7, 4, 9, 5, 1)]
    features = [[[round(math.sin(i * (k + 2) + j), 4) for i in range(12)] for j in range(4)] for k in range(4)]
    base = {"end": 2, "maxTokens": 14}
    # start: several ids of Whisper, the pad (0) of Marian and T5.
    for seed, (family, kind, merged, masked, start) in enumerate([
        ("whisper", "features", True, False, [3, 7, 8]),
        ("marian", "ids", False, True, [0]), ("t5", "ids", True, True, [0]),
    ]):
        torch.manual_seed(seed)
        run = encoder_decoder(family, kind, merged, masked)
        sources = {"ids": texts, "features": features}[kind]
        reference[family] = {"start": start, "sources": sources, "answers": expected(run, sources, [start] * len(sources), base)}
    torch.manual_seed(10)
    reference["step"] = {"start": [0], "sources": texts, "answers": expected(step_export("step"), texts, [[0]] * len(texts), base)}
    for seed, (family, kv_heads) in enumerate([("gpt", HEADS), ("llama", 1)]):
        torch.manual_seed(20 + seed)
        run = decoder_only(family, kv_heads)
        reference[family] = {"sources": texts, "answers": expected(run, texts, texts, base)}
    with open(os.path.join(OUT, "reference.json"), "w") as file:
        json.dump({"torch": torch.__version__, "base": base, "families": reference}, file, separators=(",", ":"))
        file.write("\n")


main()
