// Opens a model once, in its own process, for bench/serving/optimised.ts: FILE WAY FEEDS → one line of JSON.
import { createHash } from "node:crypto";
import { createReadStream, readFileSync } from "node:fs";
import { pipeline } from "node:stream/promises";
import ort from "onnxruntime-node";

const [file, way, feedsFile] = process.argv.slice(2) as [string, string, string];
const given = JSON.parse(readFileSync(feedsFile, "utf8")) as {
  name: string;
  type: "int64" | "float32";
  dims: number[];
  values: number[];
}[];
const feeds = Object.fromEntries(
  given.map(({ name, type, dims, values }) => [
    name,
    new ort.Tensor(type, type === "int64" ? BigInt64Array.from(values, BigInt) : Float32Array.from(values), dims),
  ]),
);
const rss = () => Number(/^VmRSS:\s+(\d+)/m.exec(readFileSync("/proc/self/status", "utf8"))?.[1] ?? 0) / 1024;
const before = rss();
const start = performance.now();
const common = { executionProviders: ["cpu"], intraOpNumThreads: 1, interOpNumThreads: 1 };
const options = way.includes("optimised")
  ? {
      ...common,
      graphOptimizationLevel: "disabled" as const,
      ...(way.includes("no prepacking") ? { extra: { session: { disable_prepacking: "1" } } } : {}),
    }
  : common;
// Served models are read and digested before the runtime gets them. A file that is given by its path is digested piece
// by piece.
const bytes = way.includes("bytes") ? readFileSync(file) : null;
if (bytes !== null) createHash("sha256").update(bytes).digest();
else
  for (const one of way.includes("optimised") ? [file, `${file}.data`] : [file])
    await pipeline(createReadStream(one, { highWaterMark: 1 << 20 }), createHash("sha256"));
const digestMs = performance.now() - start;
const session =
  bytes !== null ? await ort.InferenceSession.create(bytes, options) : await ort.InferenceSession.create(file, options);
const openMs = performance.now() - start;
const first = await session.run(feeds);
const firstMs = performance.now() - start - openMs;
const times: number[] = [];
for (let i = 0; i < 15; i++) {
  const from = performance.now();
  await session.run(feeds);
  times.push(performance.now() - from);
}
const digest = createHash("sha256");
for (const name of Object.keys(first).sort()) digest.update(Buffer.from((first[name]!.data as Float32Array).buffer));
process.stdout.write(
  JSON.stringify({
    digestMs,
    openMs,
    firstMs,
    runMs: times.toSorted((a, b) => a - b)[7],
    rssMb: rss() - before,
    answer: digest.digest("hex").slice(0, 16),
  }),
);
