import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { afterAll, describe, expect, it } from "vitest";
import { EvaluationError } from "../../../models/core/errors.ts";
import { compareLatency } from "../../../eval/latency/latency-comparison.ts";
import { startModelProcess } from "../../../eval/latency/model-process.ts";
import { allowedProcessors, onSameProcessors } from "../../../eval/latency/processors.ts";
import { profile } from "../../../eval/latency/profile.ts";
import { calibratedBusyWait } from "../../../eval/latency/busy-wait.ts";
import { performanceFigures } from "../../../eval/schema/metrics.ts";

const model = "models/births";
const rows = readFileSync("models/births/data/eval.jsonl", "utf8")
  .trim()
  .split("\n")
  .slice(0, 64)
  .map((line) => JSON.parse(line) as Record<string, unknown>);
const scratch = mkdtempSync(join(tmpdir(), "sluice-latency-"));
const deps = { env: process.env, fetch: () => Promise.reject(new Error("no network in a test")) };
const quick = { modelDir: model, rows, warmMs: 20, slowdownMs: 0 };
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

/** A fake worker, to see what the parent does when the real one misbehaves. */
function worker(name: string, code: string): URL {
  const file = join(scratch, `${name}.mjs`);
  writeFileSync(file, code);
  return pathToFileURL(file);
}

describe("profile of a real model", () => {
  it("fills every figure", async () => {
    const figures = performanceFigures.parse(await profile(model, rows, { measureMs: 60, warmMs: 20 }, deps));
    expect(figures.batches.map(({ batch }) => batch)).toEqual([1, 32]);
    for (const one of figures.batches) {
      expect(one.runs).toBeGreaterThanOrEqual(3);
      expect(one.p50Ms).toBeGreaterThan(0);
      expect(one.p95Ms).toBeGreaterThanOrEqual(one.p50Ms);
      expect(one.p99Ms).toBeGreaterThanOrEqual(one.p95Ms);
    }
    expect(figures.modelBytes).toBe(readFileSync(join(model, "model.onnx")).length);
    expect(figures.coldStartMs).toBeGreaterThan(figures.batches[0]!.p50Ms);
    expect(figures.peakRssBytes).toBeGreaterThan(20e6);
    // 72 features in, one number out, float32.
    expect(figures.bytesPerRow).toBe(4 * 73);
  });

  it("times the requested batch sizes, each at least as often as requested", async () => {
    const { batches } = await profile(model, rows, { batches: [4, 7], measureMs: 0, warmMs: 0, atLeast: 5 }, deps);
    expect(batches.map(({ batch, runs }) => [batch, runs])).toEqual([
      [4, 5],
      [7, 5],
    ]);
  });

  it("gives the model's own diagnostic", async () => {
    const dir = join(scratch, "truncated");
    cpSync(model, dir, { recursive: true });
    writeFileSync(join(dir, "model.onnx"), readFileSync(join(dir, "model.onnx")).subarray(0, 1000));
    await expect(profile(dir, rows, {}, deps)).rejects.toThrow(/sha256|digest/i);
    await expect(profile(join(scratch, "nothing"), rows, {}, deps)).rejects.toThrow("no model manifest");
    await expect(profile(model, [], {}, deps)).rejects.toThrow("at least one row");
    await expect(profile(model, [{ date: "2002-01-01" }], {}, deps)).rejects.toThrow("one was refused");
  });
});

describe("a model's process", () => {
  it("cycles through the rows and makes as many calls as asked", async () => {
    const child = await startModelProcess(quick);
    try {
      expect((await child.turn({ start: 63, batch: 3, lead: 2, count: 50 })).durationsMs).toHaveLength(50);
      const { durationsMs, elapsedMs } = await child.turn({ start: 0, batch: 1, lead: 0, budgetMs: 30, atLeast: 1 });
      expect(elapsedMs).toBeGreaterThanOrEqual(30);
      expect(durationsMs.reduce((sum, one) => sum + one, 0)).toBeLessThanOrEqual(elapsedMs);
      expect(child.opened).toMatchObject({ provider: "cpu", threads: 1, servedBatch: 32 });
    } finally {
      await child.close();
    }
  });

  it("is slower by the time that it is told to add", async () => {
    const [plain, slow] = await Promise.all([startModelProcess(quick), startModelProcess({ ...quick, slowdownMs: 2 })]);
    try {
      const least = async (one: typeof plain) =>
        Math.min(...(await one.turn({ start: 0, batch: 1, lead: 5, count: 60 })).durationsMs);
      expect(await least(slow)).toBeGreaterThan((await least(plain)) + 1);
    } finally {
      await Promise.all([plain.close(), slow.close()]);
    }
    expect(calibratedBusyWait(0)()).toBeUndefined();
  });

  it.runIf(process.platform === "linux")("shares a processor with the other processes of its round", async () => {
    const both = await Promise.all([startModelProcess(quick), startModelProcess(quick)]);
    try {
      const allowed = allowedProcessors(readFileSync("/proc/self/status", "utf8"));
      expect(
        await onSameProcessors(
          both.map(({ pid }) => ({ pid, threads: 1 })),
          1,
        ),
      ).toBe(true);
      for (const { pid } of both) {
        const threads = readdirSync(`/proc/${pid}/task`);
        expect(
          new Set(
            threads.map((thread) =>
              allowedProcessors(readFileSync(`/proc/${pid}/task/${thread}/status`, "utf8")).join(),
            ),
          ),
        ).toEqual(new Set([String(allowed[1] ?? allowed[0])]));
      }
      // For models that use every processor there is nothing to choose.
      expect(
        await onSameProcessors(
          both.map(({ pid }) => ({ pid, threads: allowed.length })),
          0,
        ),
      ).toBe(true);
      // A process that has exited cannot be put anywhere, so the other one is released again. (With a single processor,
      // this is not attempted.)
      expect(
        await onSameProcessors(
          [
            { pid: both[0].pid, threads: 1 },
            { pid: 2 ** 22 + 1, threads: 1 },
          ],
          0,
        ),
      ).toBe(allowed.length === 1);
      expect(allowedProcessors(readFileSync(`/proc/${both[0].pid}/status`, "utf8"))).toEqual(allowed);
    } finally {
      await Promise.all(both.map((one) => one.close()));
    }
  });

  it("that does not answer is ended after a timeout", async () => {
    const silent = worker(
      "silent",
      "process.on('message', () => {}); process.on('disconnect', () => process.exit(0));",
    );
    await expect(startModelProcess(quick, { worker: silent, timeoutMs: 300 })).rejects.toThrow("in time");
  });

  it("that dies gives an error with its output", async () => {
    const dying = worker(
      "dying",
      "process.on('message', () => { console.error('out of luck'); setTimeout(() => process.exit(7), 50); });",
    );
    const error: unknown = await startModelProcess(quick, { worker: dying }).catch((caught: unknown) => caught);
    expect(error).toBeInstanceOf(EvaluationError);
    expect((error as EvaluationError).diagnostic).toMatchObject({ code: "latency-process-ended" });
    expect((error as EvaluationError).message).toContain("exit code 7; it wrote: out of luck");
  });

  it("gets no credentials but the Hub's", async () => {
    const telling = worker(
      "telling",
      "process.on('message', () => process.send({ kind: 'failed', diagnostic: { code: 'env', problem: Object.keys(process.env).filter((n) => /^SLUICE_TEST|^HF_TEST|TOKEN/.test(n)).sort().join(' ') } }));",
    );
    const env = {
      PATH: process.env["PATH"],
      GITHUB_TOKEN: "x",
      TELEGRAM_BOT_TOKEN: "x",
      HF_TOKEN: "x",
      SLUICE_TEST: "x",
      INPUT_SECRET: "x",
    };
    await expect(startModelProcess(quick, { worker: telling, env })).rejects.toThrow(/: HF_TOKEN SLUICE_TEST$/);
  });
});

describe("a comparison between real processes", () => {
  const question = { quantile: 0.5, kind: "non-inferiority", alpha: 0.05 } as const;

  it("finds a model that is many times slower at one of the first looks", async () => {
    const seen: number[] = [];
    const outcome = await compareLatency(
      model,
      model,
      rows,
      [{ ...question, margin: { relative: 0.05 } }],
      { warmMs: 20, slowdownMs: 20, capMs: 270_000 },
      { onRound: (_, share) => seen.push(share) },
    );
    // On a busy machine the A/A arm may void the run, which then says so instead of deciding.
    const voided = outcome.aa.excludesOne;
    expect(outcome.results[0]).toMatchObject({ decision: voided ? "inconclusive" : "fail", relativeMargin: 0.05 });
    // The number of planned rounds, and so what the first look may spend, depends on the machine's pace.
    if (!voided) expect(outcome.results[0]!.looks).toBeLessThanOrEqual(3);
    expect(outcome.results[0]!.ratio).toBeGreaterThan(2);
    expect(outcome.candidate.p50Ms).toBeGreaterThan(outcome.baseline.p50Ms);
    expect(outcome.aa.pairs).toBe(2 * outcome.rounds.length);
    expect(seen).toHaveLength(outcome.rounds.length);
    expect(outcome).toMatchObject({ provider: "cpu", threads: 1 });
  }, 300_000);

  it("ends at its time cap and says that it could not decide", async () => {
    const {
      results: [result],
      rounds,
    } = await compareLatency(model, "models/births/production", rows, [{ ...question, margin: { relative: 0.05 } }], {
      warmMs: 20,
      capMs: 1,
    });
    expect(rounds[0]?.sameProcessors).toBe(process.platform === "linux");
    expect(rounds).toHaveLength(1);
    expect(result).toMatchObject({ decision: "inconclusive", interval: null });
  });

  it("does not hide that one of the models cannot run", async () => {
    await expect(
      compareLatency(model, join(scratch, "nowhere"), rows, [{ ...question, margin: { relative: 0.05 } }]),
    ).rejects.toThrow("no model manifest");
  });
});
