// Trains births again from data/train.csv, with the settings that train.py chose. `sluice retrain births` runs it.
//
//   node models/births/train/retrain.mjs
//
// Needs nothing but Node 20 or newer, and takes half a minute on one core. The features, their scaling and the graph
// stay as they are in model.yaml and model.onnx; only the weights are learnt anew, from the seed. Writes model.onnx and
// train/retrained-metrics.json.
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { compileFunction } from "node:vm";

const model = join(import.meta.dirname, "..");
const seed = 20020103;
const history = 28;
const members = 12;
const hidden = 16;
const epochs = 120;
const batch = 128;
const rate = 3e-3;
const decay = 0.1;
// The correction of the base is fitted in units of 5 %.
const unit = 0.05;

// ---- rows: days whose 28 days before are known ---------------------------------------------------------------------

/** Declared expressions of model.yaml in the form of JavaScript: filtrex differs from it only in its words. */
function expressions(yaml) {
  const part = yaml.slice(yaml.indexOf("    derive:\n"), yaml.indexOf("    features:\n"));
  return [...part.matchAll(/^ {6}(\w+): (.+)$/gm)].map(([, name, text]) => {
    const words = text
      .replace(/\bmod\b/g, "%")
      .replace(/\band\b/g, "&&")
      .replace(/\bor\b/g, "||")
      .replace(/\bnot\b/g, "!");
    if (!/^[\w\s.,()+*/%<>=&|!-]+$/.test(words)) throw new Error(`model.yaml derive.${name}: ${text}`);
    return { name, words };
  });
}

function featureList(yaml) {
  const part = yaml.slice(yaml.indexOf("    features:\n"), yaml.indexOf("\ninputs:"));
  return [...part.matchAll(/\{column: (\w+), encode: ([\w-]+)(?:, mean: ([-\d.e]+), std: ([-\d.e]+))?(.*)\}/g)].map(
    ([, column, encode, mean, std, rest]) => ({ column, encode, mean: Number(mean), std: Number(std), rest }),
  );
}

const dayOf = (text) => new Date(`${text}T00:00:00Z`);
const at = (values, i) => values[i < 0 ? values.length + i : i];
const mean = (values, from) => {
  const part = values.slice(from);
  return part.reduce((sum, value) => sum + value, 0) / part.length;
};
const std = (values, from) => {
  const middle = mean(values, from);
  return Math.sqrt(
    mean(
      values.slice(from).map((value) => (value - middle) ** 2),
      0,
    ),
  );
};
const known = {
  year: (date) => date.getUTCFullYear(),
  month: (date) => date.getUTCMonth() + 1,
  day: (date) => date.getUTCDate(),
  weekday: (date) => date.getUTCDay() || 7,
  day_of_year: (date) =>
    (Date.UTC(date.getUTCFullYear(), date.getUTCMonth(), date.getUTCDate()) - Date.UTC(date.getUTCFullYear(), 0, 1)) /
      86_400_000 +
    1,
  at,
  mean,
  std,
  sin: Math.sin,
  cos: Math.cos,
  floor: Math.floor,
  min: Math.min,
  max: Math.max,
};

const yaml = readFileSync(join(model, "model.yaml"), "utf8");
const derived = expressions(yaml);
// Names that are functions and columns alike (weekday, month, day) are functions where a bracket follows.
const body = derived
  .map(
    ({ name, words }) =>
      `v.${name} = Number(${words
        .replace(/\b([a-z_]\w*)\b(?!\()/g, (word) => (["date", "history"].includes(word) ? word : `v.${word}`))
        .replace(/\b([a-z_]\w*)\(/g, "f.$1(")});`,
  )
  .join("\n");
const derive = compileFunction(`const v = {};\n${body}\nreturn v;`, ["f", "date", "history"]);
const features = featureList(yaml);

const days = readFileSync(join(model, "data/train.csv"), "utf8")
  .trim()
  .split("\n")
  .slice(1)
  .map((line) => {
    const [date, births] = line.split(",");
    return { at: dayOf(date).getTime(), births: Number(births) };
  });
const rows = days.flatMap(({ at: time, births }, i) => {
  const before = days.slice(Math.max(0, i - history), i);
  // Where days are missing, such as those of the test, no row reaches over the gap.
  if (before.length < history || time - before[0].at !== history * 86_400_000) return [];
  const values = derive(
    known,
    new Date(time),
    before.map((one) => one.births),
  );
  const x = features.flatMap(({ column, encode, mean: m, std: s }) =>
    encode === "one-hot"
      ? [1, 2, 3, 4, 5, 6, 7].map((one) => Number(values[column] === one))
      : encode === "standardize"
        ? [(values[column] - m) / s]
        : [values[column]],
  );
  return [{ x: Float64Array.from(x), y: (births / values.base - 1) / unit, base: values.base, births }];
});
if (rows.length < 1000)
  throw new Error(`data/train.csv: ${rows.length} days with 28 known days before; 1000 are needed`);
const width = rows[0].x.length;
/** Most features of a row are flags that are off: only the others are multiplied. */
const places = rows.map(({ x }) => Uint8Array.from([...x.keys()].filter((i) => x[i] !== 0)));

// ---- one member: a linear part and a hidden layer of ReLUs, by AdamW with a one-cycle rate ---------------------------

function randomStream(start) {
  let state = start >>> 0;
  const next = () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
  return { next, normal: () => Math.sqrt(-2 * Math.log(1 - next())) * Math.cos(2 * Math.PI * next()) };
}

/** @returns w1 [width, hidden], b1 [hidden], w2 [hidden], b2, linear [width] in one array */
function fit(memberSeed) {
  const random = randomStream(memberSeed);
  const [oB1, oW2, oB2, oLinear] = [
    width * hidden,
    width * hidden + hidden,
    width * hidden + 2 * hidden,
    width * hidden + 2 * hidden + 1,
  ];
  const size = oLinear + width;
  const p = new Float64Array(size);
  for (let i = 0; i < oB1; i++) p[i] = random.normal() / Math.sqrt(width);
  for (let i = oW2; i < oB2; i++) p[i] = (random.normal() * 0.1) / Math.sqrt(hidden);
  const [m, v, g] = [new Float64Array(size), new Float64Array(size), new Float64Array(size)];
  const order = Uint32Array.from(rows.keys());
  const a = new Float64Array(hidden);
  const perEpoch = Math.floor(rows.length / batch);
  const steps = epochs * perEpoch;
  const cosine = (from, to, share) => to + ((from - to) * (1 + Math.cos(Math.PI * share))) / 2;
  for (let step = 0; step < steps; step++) {
    const k = step % perEpoch;
    if (k === 0)
      for (let i = order.length - 1; i > 0; i--) {
        const j = Math.floor(random.next() * (i + 1));
        [order[i], order[j]] = [order[j], order[i]];
      }
    g.fill(0);
    for (let r = k * batch; r < (k + 1) * batch; r++) {
      const { x, y } = rows[order[r]];
      const on = places[order[r]];
      for (let h = 0; h < hidden; h++) a[h] = p[oB1 + h];
      let out = p[oB2];
      for (const f of on) {
        const value = x[f];
        out += value * p[oLinear + f];
        for (let h = 0, w = f * hidden; h < hidden; h++, w++) a[h] += value * p[w];
      }
      for (let h = 0; h < hidden; h++) {
        if (a[h] < 0) a[h] = 0;
        out += a[h] * p[oW2 + h];
      }
      // Smooth L1 with its bend at 0.5.
      const d = Math.max(-1, Math.min(1, (out - y) / 0.5)) / batch;
      g[oB2] += d;
      for (let h = 0; h < hidden; h++) {
        g[oW2 + h] += d * a[h];
        a[h] = a[h] > 0 ? d * p[oW2 + h] : 0;
        g[oB1 + h] += a[h];
      }
      for (const f of on) {
        const value = x[f];
        g[oLinear + f] += d * value;
        for (let h = 0, w = f * hidden; h < hidden; h++, w++) g[w] += value * a[h];
      }
    }
    const up = 0.1 * steps;
    const now = step < up ? cosine(rate / 25, rate, step / up) : cosine(rate, rate / 25e4, (step - up) / (steps - up));
    const [c1, c2] = [1 - 0.9 ** (step + 1), 1 - 0.999 ** (step + 1)];
    for (let i = 0; i < size; i++) {
      const decays = !(i >= oB1 && i < oW2) && i !== oB2;
      m[i] = 0.9 * m[i] + 0.1 * g[i];
      v[i] = 0.999 * v[i] + 0.001 * g[i] * g[i];
      p[i] -= (decays ? now * decay * p[i] : 0) + (now * (m[i] / c1)) / (Math.sqrt(v[i] / c2) + 1e-8);
    }
  }
  return p;
}

/** The mean of the members as one network, the unit included: the graph's own weights. */
function folded(fits) {
  const share = unit / fits.length;
  const wide = fits.length * hidden;
  const w1 = new Float32Array(width * wide);
  const [b1, w2, b2, linear] = [
    new Float32Array(wide),
    new Float32Array(wide),
    new Float32Array(1),
    new Float32Array(width),
  ];
  const sums = new Float64Array(width + 1);
  fits.forEach((p, k) => {
    for (let f = 0; f < width; f++) {
      for (let h = 0; h < hidden; h++) w1[f * wide + k * hidden + h] = p[f * hidden + h];
      sums[f] += p[width * hidden + 2 * hidden + 1 + f] * share;
    }
    for (let h = 0; h < hidden; h++) {
      b1[k * hidden + h] = p[width * hidden + h];
      w2[k * hidden + h] = p[width * hidden + hidden + h] * share;
    }
    sums[width] += p[width * hidden + 2 * hidden] * share;
  });
  linear.set(sums.subarray(0, width));
  b2[0] = sums[width];
  return { w1, b1, w2, b2, linear };
}

// ---- the graph's file: the bytes of its weights are replaced where they lie ------------------------------------------

/** Fields of a protobuf message: number, wire type, and where the content begins and ends. */
function* fieldsOf(bytes, from, to) {
  let i = from;
  const varint = () => {
    let value = 0;
    for (let shift = 1; ; shift *= 128) {
      const byte = bytes[i++];
      value += (byte & 127) * shift;
      if (byte < 128) return value;
    }
  };
  while (i < to) {
    const key = varint();
    const type = key & 7;
    const length = type === 2 ? varint() : 0;
    const start = i;
    if (type === 0) varint();
    else i += type === 1 ? 8 : type === 5 ? 4 : length;
    yield { field: Math.floor(key / 8), start, end: i };
  }
}

function withWeights(onnx, weights) {
  const bytes = Buffer.from(onnx);
  const left = new Set(Object.keys(weights));
  // ModelProto.graph = 7, GraphProto.initializer = 5, TensorProto.name = 8 and raw_data = 9
  for (const graph of fieldsOf(bytes, 0, bytes.length)) {
    if (graph.field !== 7) continue;
    for (const tensor of fieldsOf(bytes, graph.start, graph.end)) {
      if (tensor.field !== 5) continue;
      const parts = [...fieldsOf(bytes, tensor.start, tensor.end)];
      const part = (number) => parts.find(({ field }) => field === number);
      const name = part(8) === undefined ? "" : bytes.toString("utf8", part(8).start, part(8).end);
      const values = weights[name];
      if (values === undefined) continue;
      const raw = part(9);
      const fresh = Buffer.from(values.buffer, values.byteOffset, values.byteLength);
      if (raw === undefined || raw.end - raw.start !== fresh.length)
        throw new Error(`model.onnx: ${name} has another shape than ${values.length} numbers`);
      fresh.copy(bytes, raw.start);
      left.delete(name);
    }
  }
  if (left.size > 0) throw new Error(`model.onnx has no ${[...left].join(", ")}`);
  return bytes;
}

// ---- run -------------------------------------------------------------------------------------------------------------

const started = performance.now();
console.log(`${rows.length} days with their 28 days before, of ${days.length}; ${width} features`);
const fits = [];
for (let k = 0; k < members; k++) {
  fits.push(fit(seed + k));
  console.log(`member ${k + 1} of ${members}, ${((performance.now() - started) / 1000).toFixed(0)} s`);
}
const net = folded(fits);
const answer = (x) => {
  const wide = members * hidden;
  let correction = net.b2[0];
  for (let f = 0; f < width; f++) correction += x[f] * net.linear[f];
  for (let h = 0; h < wide; h++) {
    let sum = net.b1[h];
    for (let f = 0; f < width; f++) sum += x[f] * net.w1[f * wide + h];
    if (sum > 0) correction += sum * net.w2[h];
  }
  return 1 + correction;
};
const mae = rows.reduce((sum, { x, base, births }) => sum + Math.abs(base * answer(x) - births), 0) / rows.length;
writeFileSync(join(model, "model.onnx"), withWeights(readFileSync(join(model, "model.onnx")), net));
const metrics = { rows: rows.length, members, epochs, seed, maeOfFittedRows: Number(mae.toFixed(2)) };
writeFileSync(join(model, "train/retrained-metrics.json"), `${JSON.stringify(metrics, null, 2)}\n`);
console.log(`MAE of the fitted rows: ${mae.toFixed(1)} births`);
