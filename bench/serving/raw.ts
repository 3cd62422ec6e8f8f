/** The runtime alone, in its own process: rows per second for `batch` rows of the MLP, or for texts one at a time. */
import { loadManifest } from "../../models/core/predictor/load.ts";
import { fetchArtifact } from "../../models/core/artifact/artifact.ts";
import { compilePipeline } from "../../models/core/predictor/pipeline.ts";
import { openSession } from "../../models/core/session/session.ts";
import { readModelFiles } from "../../models/core/predictor/model-files.ts";

const [dir, batch, seconds, rowsJson] = process.argv.slice(2) as [string, string, string, string];
const rows = JSON.parse(rowsJson) as Record<string, unknown>[];
const loaded = await loadManifest(dir);
const files = await readModelFiles(loaded);
const pipeline = compilePipeline(loaded, files.steps, files.heads);
const session = await openSession(await fetchArtifact(loaded.manifest.artifact, dir, { env: process.env, fetch }), {
  provider: "cpu",
  threads: loaded.manifest.runtime.threads,
});
const size = Number(batch);
const prepared = await Promise.all(rows.map((row) => pipeline.prepare(row)));
// Everything except the runs is done before the clock starts.
const feeds =
  size === 1
    ? prepared.map((row) => pipeline.feeds([row]))
    : [pipeline.feeds(Array.from({ length: size }, (_, i) => prepared[i % prepared.length]!))];
for (const feed of feeds.slice(0, 8)) await session.run(feed, pipeline.fetches);
let runs = 0;
const start = performance.now();
// Whole rounds, so that long and short texts have the same weight as over HTTP.
while (performance.now() - start < Number(seconds) * 1000)
  for (const feed of feeds) {
    await session.run(feed, pipeline.fetches);
    runs++;
  }
process.stdout.write(String((1000 * runs * size) / (performance.now() - start)));
process.exit(0);
