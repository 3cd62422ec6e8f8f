import { cpSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { parse } from "csv-parse/sync";
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { stringify } from "yaml";
import { askPrediction } from "../../bot/spaces/ask.ts";
import { headDifference, headWords } from "../../bot/commands/head-words.ts";
import { metricsFile } from "../../eval/schema/metrics.ts";
import { verdictFile } from "../../eval/schema/verdict.ts";
import type { ManifestInput } from "../../models/core/manifest/manifest.ts";
import { startContainer, type Container } from "../../rehearsal/hub/container.ts";
import { jsonLines } from "../cli/repository.ts";
import { sluice, type Run } from "../cli/sluice.ts";
import { root, serve, temporaryFolder, type ServerProcess } from "../spaces/server/harness.ts";
import { chromiumPath, openBrowser } from "../spaces/ui/chromium.ts";
import { predictorOf } from "./core/build.ts";
import { taskToys, type TaskToy } from "./every-task-toys.ts";

/**
 * Every task of the contract through the whole product: one repository with a model of each, gated three times by the
 * command, served, shown, and deployed.
 */

const rowCount = 120;
type Row = Record<string, unknown>;
type Heads = Record<string, unknown>;

const headOf = ({ toy }: TaskToy) => toy.manifest.postprocess[0]!.name;
const named = (fields: Row, suffix: string) =>
  Object.fromEntries(Object.entries(fields).map(([name, value]) => [`${name}${suffix}`, value]));

/** The model reading its inputs from fields whose names end in `suffix`: candidates differ in what they read. */
function reading({ toy }: TaskToy, suffix: string): ManifestInput["preprocess"] {
  return Object.fromEntries(
    Object.entries(toy.manifest.preprocess!).map(([name, step]) => {
      if (step.kind !== "tabular")
        return [name, { ...step, field: `${"field" in step ? step.field : "text"}${suffix}` }];
      const features = step.features as { column: string }[];
      return [
        name,
        {
          ...step,
          columns: named(step.columns, suffix),
          features: features.map((one) => ({ ...one, column: `${one.column}${suffix}` })),
        },
      ];
    }),
  ) as ManifestInput["preprocess"];
}

/**
 * Row i has the inputs under their own names, those of another row under NAME_bad, and under NAME_between those of
 * another row in some rows. What is true is what the model answers to the first, but for every tenth row.
 */
async function rowsOf(one: TaskToy): Promise<Row[]> {
  const predictor = await predictorOf(one.toy.manifest, {}, one.toy.files);
  const truths: unknown[] = [];
  for (let i = 0; i < rowCount; i++) {
    const heads = await predictor.predictOne({ ...one.inputs(i % 10 === 0 ? i + 3 : i), ...one.beside(i) });
    truths.push(one.truth(heads[headOf(one)] as never));
  }
  return truths.map((truth, i) => ({
    id: `row-${i}`,
    ...one.inputs(i),
    ...named(one.inputs(i + 1), "_bad"),
    ...named(one.inputs(i % 20 < one.between ? i + 1 : i), "_between"),
    ...one.beside(i),
    truth,
    half: i % 2 === 0 ? "even" : "odd",
  }));
}

const dir = temporaryFolder();
const git = (...args: string[]) =>
  execFileSync("git", ["-c", "user.name=t", "-c", "user.email=t@example.com", ...args], { cwd: dir, encoding: "utf8" });
const rows = new Map<string, Row[]>();

function writeModels(version: string, suffix: string): void {
  for (const one of taskToys) {
    const { manifest } = one.toy;
    const folder = join(dir, "models", one.id);
    const example = rows.get(one.id)![1]!;
    const written: ManifestInput = {
      ...manifest,
      id: one.id,
      version,
      task: one.task,
      preprocess: reading(one, suffix),
      dataset: {
        id: `${one.id}-rows`,
        files: [{ path: "rows.jsonl" }],
        idField: "id",
        labels: { [headOf(one)]: one.label },
        slices: ["half"],
      },
      gates: { checks: [one.check, ...(one.kept === undefined ? [] : [one.kept])] },
      serving: {
        examples: [
          Object.fromEntries(
            Object.keys({ ...named(one.inputs(1), suffix), ...seen(one) }).map((name) => [name, example[name]]),
          ),
        ],
      },
    };
    writeFileSync(join(folder, "model.yaml"), stringify(written));
  }
}
const seen = (one: TaskToy) => (one.task === "ranking" ? { seen: [] } : {});

beforeAll(async () => {
  git("init", "-q", "-b", "main");
  writeFileSync(
    join(dir, "sluice.yaml"),
    stringify({ schemaVersion: 1, models: taskToys.map(({ id }) => `models/${id}`) }),
  );
  writeFileSync(join(dir, ".gitignore"), ".sluice/\nout/\n");
  for (const one of taskToys) {
    const folder = join(dir, "models", one.id);
    mkdirSync(folder, { recursive: true });
    const { path } = one.toy.manifest.artifact;
    cpSync(join(root, "tests/fixtures", path!), join(folder, path!));
    for (const [name, content] of Object.entries(one.toy.files)) writeFileSync(join(folder, name), content);
    rows.set(one.id, await rowsOf(one));
    writeFileSync(join(folder, "rows.jsonl"), jsonLines(rows.get(one.id)!));
  }
  writeModels("1.0.0", "");
  git("add", "-A");
  git("commit", "-qm", "A model of every task");
}, 120_000);

const gate = (...args: string[]) => sluice(dir, ["gate", "--no-performance", "--json", ...args]);
const all = (verdict: string) => taskToys.map(({ id, task }) => `${id} ${task} ${verdict}`);
const verdictsOf = (run: Run) =>
  verdictFile.parse(JSON.parse(run.stdout)).models.map(({ model, verdict }) => `${model.id} ${model.task} ${verdict}`);
/** What decided, for the message of a test that fails. */
const reasons = (run: Run) =>
  `${run.stderr}\n${verdictFile
    .parse(JSON.parse(run.stdout))
    .models.map(({ model, reason, checks }) => {
      const { interval, margin } = checks[0] ?? {};
      return `${model.id}: ${reason} [${interval?.low}, ${interval?.high}], margin ${margin}`;
    })
    .join("\n")}`;

describe("sluice gate with a model of every task", () => {
  it.each([
    ["FAIL", "_bad", 1],
    ["INCONCLUSIVE", "_between", 3],
    ["PASS", "", 0],
  ])("says %s of the candidates that read %s", { timeout: 180_000 }, async (verdict, suffix, code) => {
    writeModels("1.1.0", suffix);
    // Only what is committed can be deployed.
    if (verdict === "PASS") {
      git("switch", "-qc", "candidate");
      git("commit", "-qam", "Version 1.1.0");
    }
    const run = await gate("--out", verdict === "PASS" ? ".sluice" : `out/${verdict}`);
    expect(verdictsOf(run), reasons(run)).toEqual(all(verdict));
    expect(run.code).toBe(code);
  });
});

type Answers = Map<string, Heads>;

/** Every row's answer, by id, from a server that has the model. */
async function answersOf(url: string, one: TaskToy): Promise<Answers> {
  const response = await fetch(`${url}/models/${one.id}/predict/batch`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ rows: rows.get(one.id) }),
  });
  const { predictions } = (await response.json()) as { predictions: { heads: Heads }[] };
  return new Map(rows.get(one.id)!.map(({ id }, i) => [String(id), predictions[i]!.heads]));
}

describe("with the version that passed", () => {
  let server: ServerProcess;
  const served = new Map<string, Answers>();
  beforeAll(async () => {
    server = await serve(taskToys.map(({ id }) => join(dir, "models", id)));
    for (const one of taskToys) served.set(one.id, await answersOf(server.url, one));
  }, 120_000);

  it.each(taskToys)("a server answers $task as the gate's prediction file has it", (one) => {
    const file = join(dir, `.sluice/predictions/${one.id}/${headOf(one)}.candidate.csv`);
    const records = parse(readFileSync(file), { columns: true }) as Record<string, string>[];
    const byId = new Map(records.map((record) => [record["id"], record]));
    let compared = 0;
    for (const [id, heads] of served.get(one.id)!)
      for (const [suffix, cells] of Object.entries(one.cells(heads[headOf(one)] as never)))
        for (const [column, value] of Object.entries(cells)) {
          const written = byId.get(`${id}${suffix}`)?.[column];
          expect(typeof value === "number" ? Number(written) : written, `${id}${suffix} ${column}`).toEqual(
            typeof value === "object" ? JSON.stringify(value) : value,
          );
          compared++;
        }
    expect(compared).toBeGreaterThanOrEqual(rowCount);
  });

  it.each(taskToys)("a row alone has the answer that it has in a batch ($task)", async (one) => {
    const row = rows.get(one.id)![7]!;
    const alone = (await (await server.post(`/models/${one.id}/predict`, row)).json()) as { heads: Heads };
    expect(alone.heads).toEqual(served.get(one.id)!.get(String(row["id"])));
  });

  it.each(taskToys)("the bot says an answer of $task in words", async (one) => {
    const answer = await askPrediction({ fetch, timeoutMs: 30_000 }, server.url, one.id, rows.get(one.id)![7]);
    if (!answer.ok) throw new Error(answer.why);
    const head = answer.value.heads[headOf(one)]!;
    expect(headWords(head)).toMatch(/^(?!an answer that|—).*\w/);
    expect(headDifference(head, head)).toMatch(/^(equal|the same)/);
  });

  it.each(taskToys)(
    "the bundle of a deployment answers $task row by row as the server does",
    { timeout: 120_000 },
    async (one) => {
      const tree = join(dir, "out/trees", one.id);
      const run = await sluice(dir, ["deploy", one.id, "--bundle", tree], { GITHUB_REPOSITORY: "octo/models" });
      expect(run.code, run.stderr).toBe(0);
      const [, command] = /^CMD (\[.*\])$/m.exec(readFileSync(join(tree, "Dockerfile"), "utf8"))!;
      symlinkSync(join(root, "node_modules"), join(tree, "node_modules"));
      const said: string[] = [];
      const image = { dir: tree, command: JSON.parse(command!) as string[], remove: () => {} };
      const container: Container = await startContainer(image, "", {}, (line) => void said.push(line));
      try {
        const url = `http://127.0.0.1:${container.port}`;
        await expect
          .poll(
            () =>
              fetch(`${url}/readyz`).then(
                (answer) => answer.ok,
                () => false,
              ),
            { timeout: 60_000, message: said.join("\n") },
          )
          .toBe(true);
        expect(await answersOf(url, one)).toEqual(served.get(one.id));
      } finally {
        await container.stop();
      }
    },
  );

  describe.skipIf(chromiumPath === undefined)("the page (skipped without Chromium)", () => {
    let browser: Browser;
    beforeAll(async () => {
      browser = await openBrowser();
    });
    afterAll(() => browser?.close());

    it.each(taskToys)("shows an answer of $task", { timeout: 60_000 }, async ({ id, widget }) => {
      const page = await browser.newPage({ locale: "en-US" });
      const wrongs: string[] = [];
      page.on("pageerror", (error) => wrongs.push(error.message));
      await page.goto(`${server.url}#${id}`);
      await page.getByRole("tab", { name: id, exact: true }).click();
      await page.getByRole("tabpanel").locator(".chip").first().click();
      await page.getByRole("button", { name: "Predict", exact: true }).click();
      const answer = page.getByRole("tabpanel").getByRole("region", { name: "Answer", exact: true });
      await answer.getByText("The server’s JSON").waitFor();
      const shown = answer.locator(widget.selector).first();
      const text = widget.selector.endsWith("svg") ? await shown.getAttribute("aria-label") : await shown.innerText();
      expect(text).toMatch(widget.text);
      expect(wrongs).toEqual([]);
      await page.close();
    });
  });
});

describe("the gate's files", () => {
  it("have every model's figures, slices and predictions", () => {
    const { models } = metricsFile.parse(JSON.parse(readFileSync(join(dir, ".sluice/metrics.json"), "utf8")));
    for (const { id, check } of taskToys)
      for (const role of ["candidate", "baseline"])
        for (const slice of ["all", "half=even"])
          expect(
            models
              .find((one) => one.model.id === id && one.role === role)
              ?.measurements.find((one) => one.metric === check.metric && one.slice === slice)?.result,
            `${id} ${role} ${slice}`,
          ).toMatchObject({ status: "ok", interval: {} });
    for (const report of ["report.md", "report.html"])
      for (const word of ["NaN", "[object"])
        expect(
          readFileSync(join(dir, ".sluice", report), "utf8").replaceAll(/<script[\s\S]*?<\/script>/g, ""),
          report,
        ).not.toContain(word);
  });

  it.each(taskToys)(
    "are judged by compare as the gate judged them ($task)",
    { timeout: 60_000 },
    async ({ id, task, toy, check }) => {
      const {
        kind: _,
        margin,
        metric,
        ...options
      } = check as { kind: string; margin: number; metric: string; k?: number };
      const file = (role: string) => `out/FAIL/predictions/${id}/${toy.manifest.postprocess[0]!.name}.${role}.csv`;
      const run = await sluice(dir, [
        "compare",
        "--candidate",
        file("candidate"),
        "--baseline",
        file("baseline"),
        "--task",
        task,
        "--metric",
        metric,
        "--margin",
        String(margin),
        "--out",
        `out/compare-${id}`,
        "--json",
        ...Object.entries(options).flatMap(([name, value]) => [`--${name}`, String(value)]),
      ]);
      expect(run.code, run.stderr).toBe(1);
      const gated = verdictFile.parse(JSON.parse(readFileSync(join(dir, "out/FAIL/verdict.json"), "utf8")));
      const [mine, theirs] = [
        verdictFile.parse(JSON.parse(run.stdout)).models[0]!.checks[0]!,
        gated.models.find((one) => one.model.id === id)!.checks[0]!,
      ];
      for (const name of ["observed", "baseline", "difference", "interval", "signature", "n"] as const)
        expect(mine[name], name).toEqual(theirs[name]);
    },
  );

  it("are the same from shards", { timeout: 180_000 }, async () => {
    for (const shard of ["0/2", "1/2"]) {
      const part = await gate("--shard", shard, "--out", "out/parts");
      expect(part.code, part.stderr).toBe(0);
    }
    const run = await gate("--shards", "out/parts", "--out", "out/merged");
    expect(verdictsOf(run), reasons(run)).toEqual(all("PASS"));
    for (const one of taskToys) {
      const file = `predictions/${one.id}/${headOf(one)}.candidate.csv`;
      expect(readFileSync(join(dir, "out/merged", file), "utf8"), one.id).toBe(
        readFileSync(join(dir, ".sluice", file), "utf8"),
      );
    }
  });
});
