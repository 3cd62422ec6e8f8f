import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { afterAll, expect, it } from "vitest";
import { compareLatency } from "../../../eval/latency/latency-comparison.ts";

// A process that answers at once. Only the test's clock says how long a round takes.
const worker = `process.on("message", ({ kind, modelDir, count }) => {
  if (kind === "open") process.send({ kind: "opened", firstPredictionAt: 0, modelBytes: 1, servedBatch: 1,
    provider: modelDir, onnxruntime: "1", threads: 1, callMs: 10 });
  else process.send({ kind: "timings", durationsMs: new Float64Array(count).fill(1), elapsedMs: 1 });
});
process.on("disconnect", () => process.exit(0));`;
const dir = mkdtempSync(join(tmpdir(), "sluice-cap-"));
const file = join(dir, "worker.mjs");
writeFileSync(file, worker);
afterAll(() => {
  rmSync(dir, { recursive: true, force: true });
});

it("rounds that take longer than planned end at the cap, and not one round after it", async () => {
  let clock = 0;
  const seen: number[] = [];
  await compareLatency(
    "cpu",
    "cpu",
    [{}],
    [{ quantile: 0.5, kind: "superiority", margin: { relative: 0 }, alpha: 0.05 }],
    { capMs: 100_000 },
    {
      worker: pathToFileURL(file),
      now: () => clock,
      onRound: (_, share) => {
        // While the plan was made rounds took no time, so that it has a hundred of them.
        seen.push(share);
        if (seen.length > 8) throw new Error("the cap is ignored");
        clock += 23_000;
      },
    },
  );
  // The fifth round ended at 92 s, and 18 s, the average so far, do not fit any more.
  expect(seen).toEqual([0.01, 0.02, 0.03, 0.04, 0.05]);
});
