// Runs an ONNX file in ONNX Runtime (one thread) over rows of ids.
//   node run.mjs MODEL.onnx NODE_MODULES < ids.jsonl > result.json
// The result holds the logits of every row run alone, the largest difference when the same rows are run
// in padded batches of several sizes, and the time per row.
import { createRequire } from "node:module";
import { createInterface } from "node:readline";
import { resolve } from "node:path";

const [modelPath, nodeModules] = process.argv.slice(2);
const require = createRequire(resolve(nodeModules, "noop.js"));
const ort = require("onnxruntime-node");
const session = await ort.InferenceSession.create(modelPath, {
  intraOpNumThreads: 1,
  interOpNumThreads: 1,
  executionMode: "sequential",
});

async function run(rows, extraPadding = 0) {
  const width = Math.max(...rows.map((r) => r.length)) + extraPadding;
  const ids = new BigInt64Array(rows.length * width);
  const mask = new BigInt64Array(rows.length * width);
  rows.forEach((row, i) =>
    row.forEach((id, j) => {
      ids[i * width + j] = BigInt(id);
      mask[i * width + j] = 1n;
    }),
  );
  const dims = [rows.length, width];
  const { logits } = await session.run({
    input_ids: new ort.Tensor("int64", ids, dims),
    attention_mask: new ort.Tensor("int64", mask, dims),
  });
  return rows.map((_, i) => [logits.data[2 * i], logits.data[2 * i + 1]]);
}

const rows = [];
for await (const line of createInterface({ input: process.stdin })) rows.push(JSON.parse(line));

for (const row of rows.slice(0, 50)) await run([row]);
const alone = [];
const times = [];
for (const row of rows) {
  const start = performance.now();
  alone.push((await run([row]))[0]);
  times.push(performance.now() - start);
}

const padding = {};
const worst = (got, from) =>
  Math.max(...got.flatMap((pair, i) => pair.map((v, k) => Math.abs(v - alone[from + i][k]))));
for (const size of [7, 32]) {
  let max = 0;
  for (let i = 0; i < rows.length; i += size) {
    max = Math.max(max, worst(await run(rows.slice(i, i + size), size === 7 ? 3 : 0), i));
  }
  padding[`batch_${size}`] = max;
}
const lengths = rows.map((r) => r.length);
const shortest = lengths.indexOf(Math.min(...lengths));
const long = rows.flat().slice(0, 128);
const [first, longInPair] = await run([rows[shortest], long]);
const [longAlone] = await run([long]);
padding.shortest_beside_128 = Math.max(
  ...first.map((v, k) => Math.abs(v - alone[shortest][k])),
  ...longInPair.map((v, k) => Math.abs(v - longAlone[k])),
);
padding.max = Math.max(...Object.values(padding));
padding.shortest_tokens = lengths[shortest];

times.sort((a, b) => a - b);
const at = (q) => times[Math.min(times.length - 1, Math.floor(q * times.length))];
process.stdout.write(
  JSON.stringify({
    logits: alone,
    padding,
    latency_ms: { p50: at(0.5), p95: at(0.95), mean: times.reduce((a, b) => a + b, 0) / times.length },
  }),
);
