import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { afterAll, expect, it } from "vitest";
import { readTrace, replayed, toTrace, writeTrace, type Trace } from "../../../bench/latency/trace.ts";
import { quantile } from "../../../eval/stats/quantile.ts";
import { sequentialTest } from "../../../eval/latency/sequential-test.ts";
import { RandomStream } from "../../../eval/stats/random.ts";
import { simulatedRounds } from "./simulated-machine.ts";

const folder = mkdtempSync(join(tmpdir(), "sluice-trace-"));
afterAll(() => rmSync(folder, { recursive: true }));
const sitting = {
  condition: "quiet",
  model: "m",
  modelSha256: "0".repeat(64),
  cpu: "x",
  cores: 2,
  node: "v24.0.0",
  onnxruntime: "1",
};
const next = simulatedRounds(new RandomStream(5), 0, { process: 0.02, turn: 0.02, outliers: 0, pace: 0.1 });
const measured = Array.from({ length: 12 }, next);
const rounds = measured.map((round, i) =>
  toTrace(round, { at: `2026-01-01T00:00:${10 + i}.000Z`, elapsedMs: 1800.4, loadAverage: 0.5 }),
);

it("a recording is read as it was written, sitting by sitting, and a later sitting continues it", () => {
  const file = join(folder, "traces", "quiet.jsonl.gz");
  const trace: Trace = [{ sitting, rounds }];
  expect(readTrace(file)).toEqual([]);
  writeTrace(file, trace);
  expect(readTrace(file)).toEqual(trace);
  writeTrace(file, [...readTrace(file), { sitting: { ...sitting, cpu: "y" }, rounds: rounds.slice(0, 2) }]);
  expect(readTrace(file).map((one) => [one.sitting.cpu, one.rounds.length])).toEqual([
    ["x", 12],
    ["y", 2],
  ]);
  expect(gunzipSync(readFileSync(file)).toString().split("\n").length).toBe(12 + 2 + 2 + 1);
});

it("a truncated file is an error, not a shorter recording", () => {
  const file = join(folder, "cut.jsonl.gz");
  writeTrace(file, [{ sitting, rounds }]);
  writeFileSync(file, readFileSync(file).subarray(0, -20));
  expect(() => readTrace(file)).toThrow(/unexpected end/);
});

it("a replayed round has the recording's medians and tails with roles and slow-down applied, and the sequential test decides the same", () => {
  const one = replayed(rounds[0]!, [2, 3, 0, 1], 0.1);
  const first = measured[0]!;
  expect(one.blocks[0]!.baseline[0]).toBeCloseTo(first.blocks[0]!.candidate[0], 4);
  expect(one.blocks[0]!.candidateTwin[1]).toBeCloseTo(1.1 * first.blocks[0]!.baselineTwin[1], 4);
  for (const q of [0.5, 0.95, 0.99])
    expect(quantile(one.queriesMs.candidate, q)).toBeCloseTo(1.1 * quantile(first.queriesMs.baseline, q), 4);
  const asked = { quantile: 0.5, kind: "non-inferiority", margin: { relative: 0.03 }, alpha: 0.05 } as const;
  const said = (some: typeof measured) => sequentialTest([asked])(some, some.length, true).summary(0);
  const [live, again] = [said(measured), said(rounds.map((round) => replayed(round, [0, 1, 2, 3], 0)))];
  expect(again.results[0]!.decision).toBe(live.results[0]!.decision);
  expect(again.results[0]!.ratio).toBeCloseTo(live.results[0]!.ratio, 4);
  for (const k of [1, 2]) expect(again.ratios[k]!.ratio).toBeCloseTo(live.ratios[k]!.ratio, 4);
});
