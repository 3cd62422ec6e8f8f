import { execFileSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { parse, stringify } from "yaml";
import { metricsFile } from "../../eval/schema/metrics.ts";
import { verdictFile } from "../../eval/schema/verdict.ts";
import { loadManifest, loadModelFile } from "../../models/core/predictor/load.ts";
import { openPredictor } from "../../models/core/predictor/predictor.ts";
import { jsonLines } from "../cli/repository.ts";
import { sluice } from "../cli/sluice.ts";
import { json, root, serve, temporaryFolder } from "../spaces/server/harness.ts";
import { offline, refusal } from "./core/build.ts";

/** What docs/compositions.md shows, as it is written there, with the sample models that it names. */
const page = readFileSync(join(root, "docs/compositions.md"), "utf8");
const blocks = [...page.matchAll(/```yaml\n([\s\S]*?)```/g)].map(([, text]) => text!);
const cascade = blocks.find((text) => text.startsWith("# models/cascade/model.yaml"))!;
const answers = blocks.find((text) => text.startsWith("answer:"))!;
const fallback = blocks.find((text) => text.includes("backend: fallback"))!;

const texts = [
  ["The battery lasts two days and the screen is gorgeous.", "positive"],
  ["Never going back. Cold food and an hour of waiting.", "negative"],
  ["It works.", "positive"],
  ["I wanted to like it, but the sound is poor.", "negative"],
  ["Great value, and the staff were kind.", "positive"],
  ["It broke after a week.", "negative"],
  ["Not bad at all.", "positive"],
  ["A film that I had forgotten before it ended.", "negative"],
] as const;

const dir = temporaryFolder();
const git = (...args: string[]) =>
  execFileSync("git", ["-c", "user.name=t", "-c", "user.email=t@example.com", ...args], { cwd: dir, encoding: "utf8" });

beforeAll(() => {
  git("init", "-q", "-b", "main");
  for (const folder of ["models/mood", "models/mood/int8"]) {
    mkdirSync(join(dir, folder), { recursive: true });
    for (const file of ["model.yaml", "model.onnx", "tokenizer.json", "tokenizer_config.json"])
      cpSync(join(root, folder, file), join(dir, folder, file));
  }
  mkdirSync(join(dir, "models/cascade/data"), { recursive: true });
  writeFileSync(join(dir, "models/cascade/model.yaml"), cascade);
  writeFileSync(
    join(dir, "models/cascade/data/reviews.jsonl"),
    jsonLines(
      Array.from({ length: 80 }, (_, i) => {
        const [text, label] = texts[i % texts.length]!;
        return { text: `${text}${" Really.".repeat(Math.floor(i / texts.length))}`, class: label };
      }),
    ),
  );
  writeFileSync(
    join(dir, "sluice.yaml"),
    stringify({ schemaVersion: 1, models: ["models/mood", "models/mood/int8", "models/cascade"] }),
  );
  git("add", "-A");
  git("commit", "-qm", "A cascade");
});

describe("docs/compositions.md", () => {
  it("its cascade is gated by the command, with its steps in the report", async () => {
    const run = await sluice(dir, ["gate", "cascade", "--json"], { SLUICE_CACHE: join(dir, "cache") });
    expect(run.stderr).not.toMatch(/error:/i);
    const verdict = verdictFile.parse(JSON.parse(run.stdout));
    expect(verdict.models.map(({ model, verdict: word, reason }) => [model.id, word, reason])).toEqual([
      ["cascade", "PASS", expect.any(String)],
    ]);
    expect(run.code).toBe(0);
    const metrics = metricsFile.parse(JSON.parse(readFileSync(join(dir, ".sluice/metrics.json"), "utf8")));
    const { steps, performance } = metrics.models[0]!;
    expect(steps).toMatchObject([
      { step: "quick", model: "mood-int8", runs: 80, failedRows: 0 },
      { step: "careful", model: "mood", failedRows: 0 },
    ]);
    // Only those in doubt.
    expect(steps![1]!.runs).toBeLessThan(80);
    expect(performance?.batches[0]!.p50Ms).toBeGreaterThan(0);
    const report = readFileSync(join(dir, ".sluice/report.md"), "utf8");
    expect(report).toContain("The candidate's steps: quick, mood-int8 1.1.0: p50");
  });

  it("its cascade is deployed with its models, by the command and its verdict", async () => {
    const tree = join(temporaryFolder(), "tree");
    const run = await sluice(dir, ["deploy", "cascade", "--bundle", tree], { GITHUB_REPOSITORY: "octo/models" });
    expect(run.stderr).not.toMatch(/error:/i);
    expect(run.code).toBe(0);
    for (const path of [
      "model.yaml",
      "receipt.json",
      "profile.json",
      "steps/mood/model.onnx",
      "steps/mood-int8/model.onnx",
    ])
      expect(existsSync(join(tree, "models/cascade", path)), path).toBe(true);
    const deployed = await loadManifest(join(tree, "models/cascade"));
    expect(deployed.manifest.artifact.sha256).toBe(
      (await loadManifest(join(dir, "models/cascade"))).manifest.artifact.sha256,
    );
  });

  it("its cascade is served, and answers as the predictor does", async () => {
    const loaded = await loadManifest(join(dir, "models/cascade"));
    const predictor = await openPredictor(loaded, {}, offline);
    cpSync(join(dir, ".sluice/profiles/cascade.json"), join(dir, "models/cascade/profile.json"));
    const server = await serve([join(dir, "models/cascade")]);
    for (const [text] of texts)
      expect((await json(await server.post("/predict", { text })))["heads"]).toEqual(
        await predictor.predictOne({ text }),
      );
    const wrong = await server.post("/predict", { text: 7 });
    expect(wrong.status).toBe(422);
    // What the gate's profile counts, the server counts of the rows that it answers.
    const watched = JSON.stringify(await json(await server.get("/models/cascade/watch")));
    expect(watched).toContain('"quick-tokens.');
    expect(watched).toContain('"mood.score"');
    await predictor.close();
    await server.kill();
  });

  it("its other heads, its message and its fallback are as it says", async () => {
    const write = (text: string) => writeFileSync(join(dir, "models/cascade/model.yaml"), text);
    const { dataset: _dataset, gates: _gates, ...rest } = parse(cascade) as Record<string, unknown>;
    write(stringify({ ...rest, ...(parse(answers) as object) }));
    const { manifest } = await loadManifest(join(dir, "models/cascade"));
    expect(manifest.postprocess.map(({ name }) => name)).toEqual(["first", "last"]);

    write(cascade.replace("quick.mood.score > 0.2", "quick.moods.score > 0.2"));
    const { message } = await refusal(() => loadManifest(join(dir, "models/cascade")));
    const shown = /models\/cascade\/model\.yaml:\d+:\d+ nodes\.doubt.*/;
    expect(shown.exec(message)![0]).toBe(shown.exec(page)![0]);

    write(fallback);
    expect((await loadModelFile(join(dir, "models/cascade"))).manifest.id).toBe("reply");
    write(cascade);
  });
});
