import { readFileSync } from "node:fs";
import { parse, stringify } from "yaml";
import { describe, expect, test } from "vitest";
import { ConfigurationError, type Diagnostic } from "../../../models/core/errors.ts";
import { fieldPath } from "../../../models/core/field-path.ts";
import { parseYaml } from "../../../models/core/manifest/config-file.ts";
import { modelFile } from "../../../models/core/predictor/load.ts";
import { manifestExamples } from "../../../models/core/manifest/manifest-examples.ts";
import { configuration } from "../../../eval/schema/configuration.ts";
import { linearManifest } from "./build.ts";

type Path = (string | number)[];

const samples = ["mood", "births", "reply"].map(
  (id) => [id, parse(readFileSync(`models/${id}/model.yaml`, "utf8")) as unknown] as const,
);

function problems(document: unknown): Diagnostic[] {
  try {
    // JSON is YAML; the examples are YAML as people write it.
    parseYaml(JSON.stringify(document, null, 1), "model.yaml", modelFile, manifestExamples);
    return [];
  } catch (error) {
    if (!(error instanceof ConfigurationError)) throw error;
    const { others = [], ...first } = error.diagnostic;
    return [first, ...others];
  }
}

function placesOf(value: unknown, path: Path = []): Path[] {
  if (typeof value !== "object" || value === null) return [path];
  // The first few stand for a long map of features, columns or the like.
  const keys = path.length < 2 ? Object.keys(value) : Object.keys(value).slice(0, 4);
  const inner = keys.flatMap((key) =>
    placesOf((value as Record<string, unknown>)[key], [...path, Array.isArray(value) ? Number(key) : key]),
  );
  return path.length === 0 ? inner : [path, ...inner];
}

/** A copy with the value at `path` replaced; `undefined` deletes it. */
function changed(document: unknown, path: Path, value: unknown): unknown {
  const copy = structuredClone(document);
  let node = copy as Record<string | number, unknown>;
  for (const part of path.slice(0, -1)) node = node[part] as typeof node;
  const last = path.at(-1)!;
  if (value !== undefined) node[last] = value;
  else if (Array.isArray(node)) node.splice(last as number, 1);
  else delete node[last];
  return copy;
}

/** The document after somebody has done what the example shows at the place of the damage. */
function followed(document: unknown, place: Path, example: string): unknown {
  const shown = parse(example) as Record<string, unknown> | unknown[];
  if (Array.isArray(shown)) return changed(document, place, shown[0]);
  const [[key, value]] = Object.entries(shown) as [[string, unknown]];
  const parent = place.slice(0, -1);
  return changed(changed(document, place, undefined), [...parent, key], value);
}

const wrongValues = [{ "no such key": 1 }, [[]], "no such word %", -1.5];

/** Problems by the place and kind, so that "one fewer" means that the example has mended its own. */
const named = (all: readonly Diagnostic[]) => all.map(({ code, problem }) => `${code} ${problem}`);

describe.each(samples)("examples for a damaged %s", (_, whole) => {
  // The first item stands for its list.
  const places = placesOf(whole).filter(
    (path) => path.length <= 4 && path[0] !== "serving" && path.every((part) => typeof part === "string" || part === 0),
  );

  test("the sample itself has no problem", () => {
    expect(problems(whole)).toEqual([]);
    expect(places.length).toBeGreaterThan(20);
  });

  test("every example is YAML, and what it shows at a wrong value mends it", () => {
    let tried = 0;
    for (const place of places)
      for (const value of wrongValues) {
        const damaged = changed(whole, place, value);
        for (const { example, problem } of problems(damaged)) {
          if (example === undefined) continue;
          const shown: unknown = parse(example);
          expect(typeof shown === "object" && shown !== null, `${problem}: ${example}`).toBe(true);
          expect(example, problem).not.toMatch(/…|<what/);
        }
        const [first, ...more] = problems(damaged);
        if (first === undefined || more.length > 0 || first.example === undefined) continue;
        if (!first.problem.includes(`\`${fieldPath(place)}\``)) continue;
        tried++;
        const after = named(problems(followed(damaged, place, first.example)));
        expect(after, `${place.join(".")} = ${JSON.stringify(value)}\n${first.example}`).not.toContain(
          named([first])[0],
        );
      }
    expect(tried).toBeGreaterThan(20);
  });

  test("what is shown for a missing key is what it may hold", () => {
    let tried = 0;
    for (const place of places) {
      if (typeof place.at(-1) === "number") continue;
      const damaged = changed(whole, place, undefined);
      for (const { code, example, problem } of problems(damaged)) {
        if (code !== "config-missing" || example === undefined) continue;
        const [[key, value]] = Object.entries(parse(example) as object) as [[string, unknown]];
        // A key that decides what the rest is (`backend`) is not missed itself.
        if (key !== String(place.at(-1))) continue;
        tried++;
        expect(named(problems(changed(damaged, place, value))), example).not.toContain(`${code} ${problem}`);
      }
    }
    expect(tried).toBeGreaterThan(5);
  });
});

test("every registered example fits the schema of its place", () => {
  const unread = Object.entries(manifestExamples).filter(([, example]) => {
    const shown: unknown = parse(example);
    return typeof shown !== "object" || shown === null || /…|<what|</.test(example);
  });
  expect(unread).toEqual([]);
});

test("examples for sluice.yaml come from its schema", () => {
  const wrong = () => parseYaml("schemaVersion: 2\nmodels: 3\n", "sluice.yaml", configuration);
  expect(wrong).toThrow(/example: {2}schemaVersion: 1/);
  expect(wrong).toThrow(/example: {2}models: \[text\]/);
});

const linear = stringify({
  ...linearManifest(),
  dataset: {
    id: "rows",
    files: [{ path: "rows.csv" }],
    labels: { value: { field: "price" } },
    slices: ["source", "city"],
  },
  gates: { checks: [{ kind: "non-inferiority", metric: "mae", margin: 0.5, slices: ["source"] }] },
});
const sentiment = parse(readFileSync("models/mood/model.yaml", "utf8")) as {
  postprocess: { labels: string[]; positive?: string; from: string }[];
};
const moodWith = (change: object) =>
  stringify({ ...sentiment, postprocess: [{ ...sentiment.postprocess[0], ...change }] });

test.each<[string, string, RegExp, string]>([
  ["a percentage as margin", linear.replace("margin: 0.5", "margin: 1%"), /percentage/, "margin: {relative: 0.01}"],
  [
    "a percentage as limit",
    linear.replace(/kind: non-inferiority[^]*margin: 0.5/, "kind: limit\n      metric: mae\n      max: 80 %"),
    /max/,
    "max: 0.8",
  ],
  [
    "scikit-learn's name of a metric",
    linear.replace("metric: mae", "metric: auc"),
    /did you mean `auroc`/,
    "metric: auroc",
  ],
  ["another name of a metric", linear.replace("metric: mae", "metric: MSE"), /did you mean `rmse`/, "metric: rmse"],
  [
    "a metric in another spelling",
    linear.replace("metric: mae", "metric: f1_score"),
    /did you mean `f1`/,
    "metric: f1",
  ],
  [
    "another name of a task",
    linear.replace("task: regression", "task: classification"),
    /did you mean/,
    "task: binary-classification",
  ],
  ["a misspelt slice of a check", linear.replace(/- source\n$/, "- sorce\n"), /one of source, city/, "- source"],
  [
    "a slice where none is declared",
    linear.replace(/ {2}slices:\n {4}- source\n {4}- city\n/, ""),
    /declares none/,
    "slices: [source]",
  ],
  [
    "an unknown output",
    linear.replace("from: prediction", "from: predictions"),
    /there is: prediction\n/,
    "from: prediction",
  ],
  ["an unknown head", linear.replace(/value:\n( +field)/, "valeu:\n$1"), /no head "valeu"/, "value: {field: price}"],
  ["another name of a key", linear.replace("margin: 0.5", "tolerance: 0.5"), /did you mean `margin`/, "margin: 0.01"],
  [
    "a key that nothing is near",
    linear.replace("margin: 0.5", "margin: 0.5\n      xyzzy: 1"),
    /unknown key `gates.checks\[0\].xyzzy`/,
    "- {kind: non-inferiority, metric: auroc, margin: 0.01}",
  ],
  [
    "a wrong positive label",
    moodWith({ positive: "Positve" }),
    /not one of the labels/,
    `positive: ${sentiment.postprocess[0]!.labels.at(-1)}`,
  ],
])("%s", (_, text, says, example) => {
  const failed = () => parseYaml(text, "model.yaml", modelFile, manifestExamples);
  expect(failed).toThrow(says);
  expect(failed).toThrow(`example:  ${example}`);
});

test("one tab gives one error, whose example is the line without it", () => {
  const text = "id: a\ngates:\n\tchecks:\n\t\t- {kind: limit}\n";
  try {
    parseYaml(text, "model.yaml", modelFile, manifestExamples);
    expect.unreachable();
  } catch (error) {
    expect((error as Error).message).toBe(
      [
        "model.yaml:3:1: a tab indents this line, and YAML takes only spaces",
        "  expected: spaces",
        '  received: "\\tchecks:"',
        "  example:    checks:",
      ].join("\n"),
    );
  }
});

test("a slip in the syntax gives one error", () => {
  const { diagnostic } = (() => {
    try {
      parseYaml("id: [a\nversion: 1.0.0\ntask: x\n", "model.yaml", modelFile, manifestExamples);
      return expect.unreachable();
    } catch (error) {
      return error as ConfigurationError;
    }
  })();
  expect(diagnostic.others ?? []).toEqual([]);
});
