import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { stringify } from "yaml";
import { locate, parseYaml } from "../../../models/core/manifest/config-file.ts";
import { ConfigurationError, type Diagnostic } from "../../../models/core/errors.ts";
import { modelFile } from "../../../models/core/predictor/load.ts";
import { manifestExamples } from "../../../models/core/manifest/manifest-examples.ts";
import { linearManifest, refusal } from "./build.ts";

const parse = (text: string) => parseYaml(text, "model.yaml", modelFile, manifestExamples);
const good = stringify(linearManifest());
const diagnostics = async (text: string) => {
  const { diagnostic } = await refusal(() => parse(text));
  return [diagnostic, ...(diagnostic.others ?? [])];
};

/** The diagnostics of a manifest; none if it is valid. Any error other than a ConfigurationError is thrown on. */
function diagnosticsOf(text: string): Diagnostic[] {
  try {
    parse(text);
    return [];
  } catch (error) {
    if (!(error instanceof ConfigurationError)) throw error;
    return [error.diagnostic, ...(error.diagnostic.others ?? [])];
  }
}

describe("a valid manifest", () => {
  it("gets its defaults", () => {
    expect(parse(good)).toHaveProperty("runtime", {
      provider: "cpu",
      threads: 1,
      batch: 32,
      sortByLength: true,
      batchTolerance: 1e-4,
    });
  });
});

describe("an invalid manifest", () => {
  it("names file, line, column, path, expectation, value and an example", async () => {
    const error = await refusal(() => parse(good.replace("task: regression", "task: regresion")));
    expect(error).toBeInstanceOf(ConfigurationError);
    expect(error.message).toBe(
      [
        "model.yaml:4:7: `task` has a wrong value",
        "  expected: one of binary-classification, multiclass-classification, token-classification, regression, forecasting, ranking, speech-to-text, translation, text-generation",
        '  received: "regresion"',
        "  example:  task: regression",
        "  hint:     did you mean `regression`?",
      ].join("\n"),
    );
  });

  it.each([
    [
      "an unknown key",
      good.replace("outputs:", "ouputs:"),
      { code: "config-unknown-key", hint: "did you mean `outputs`?" },
    ],
    [
      "an unknown key deep in a union",
      good.replace("from: prediction", "from: prediction\n    invers: {kind: exp}"),
      { code: "config-unknown-key", hint: "did you mean `inverse`?" },
    ],
    [
      "a missing key",
      good.replace(/^version.*\n/m, ""),
      { code: "config-missing", received: "nothing", example: "version: 1.4.0" },
    ],
    [
      "a wrong type",
      good.replace("version: 1.0.0", "version: 1"),
      { code: "config-type", expected: "a text", received: "1" },
    ],
    [
      "a duplicate key",
      good.replace("id: linear", "id: linear\nid: other"),
      { code: "yaml-duplicate-key", place: "model.yaml:3:1" },
    ],
    ["a syntax error", good.replace("id: linear", "id: [linear"), { code: "yaml-syntax" }],
    [
      "an unknown member of a union",
      good.replace("kind: tabular", "kind: tabluar"),
      { code: "config-value", hint: "did you mean `tabular`?" },
    ],
    [
      "a broken reference",
      good.replace("row.features", "rows.features"),
      { code: "config-inconsistent", place: expect.stringMatching(/^model\.yaml:\d+:\d+$/) },
    ],
    [
      "a slice that prediction files have a column for",
      stringify({
        ...linearManifest(),
        dataset: { id: "some", files: [{ path: "some.csv" }], labels: {}, slices: ["region", "group"] },
      }),
      { code: "config-inconsistent", problem: expect.stringContaining('"group"') },
    ],
    [
      "NaN",
      good.replace("version: 1.0.0", "version: 1.0.0\nruntime: {batchTolerance: .nan}"),
      { code: "config-type", expected: "a number" },
    ],
    ["no text at all", "", { code: "config-type", expected: "a map" }],
    ["a dangling alias", "id: *nobody\n", { code: "yaml-invalid" }],
    [
      "an answer with a value that no head gives",
      good.replace("version: 1.0.0", "version: 1.0.0\nserving: {response: {price: 2 * value.valu}}"),
      {
        code: "config-inconsistent",
        place: expect.stringMatching(/^model\.yaml:4:\d+$/),
        problem: expect.stringContaining("did you mean `value.value`?"),
      },
    ],
    [
      "an answer that is no expression",
      good.replace("version: 1.0.0", "version: 1.0.0\nserving: {response: {price: 2 *}}"),
      { code: "config-inconsistent", problem: expect.stringContaining("not a valid expression") },
    ],
    [
      "an answer with a field that belongs to the server",
      good.replace("version: 1.0.0", "version: 1.0.0\nserving: {response: {notes: value.value}}"),
      { code: "config-inconsistent" },
    ],
    [
      "a placeholder that is no colour",
      good.replace("preprocess:", "preprocess:\n  picture: {kind: image, missing: {placeholder: gray}}"),
      { place: expect.stringMatching(/^model\.yaml:/) },
    ],
    [
      "a best possible value for an unknown head",
      good.replace(
        "version: 1.0.0",
        "version: 1.0.0\ndataset: {id: d, files: [{path: d.csv}], labels: {value: {field: v}}, bestPossible: {valeu: {mae: 1}}}",
      ),
      { code: "config-inconsistent", problem: expect.stringContaining("there are: value") },
    ],
    ["a second document", `${good}---\n${good}`, { code: "yaml-syntax" }],
  ])("%s", async (_, text, expected) => {
    expect((await diagnostics(text))[0]).toMatchObject(expected);
  });

  it("reports every problem at once, each with its own place", async () => {
    const all = await diagnostics(
      good.replace("id: linear", "id: Linear").replace("task: regression", "task: nothing").replace("batch", "''"),
    );
    expect(all.length).toBeGreaterThanOrEqual(2);
    expect(new Set(all.map(({ place }) => place)).size).toBe(all.length);
  });

  it("is refused without hanging when its size, nesting or aliases are extreme", async () => {
    expect((await diagnostics("a".repeat(1_000_001)))[0]!.code).toBe("config-too-large");
    expect((await diagnostics("[".repeat(50_000)))[0]!.code).toMatch(/^yaml-/);
    const bomb = `a: &a [x,x,x,x,x,x,x,x,x]\n${[..."bcdefghi"].map((name, i) => `${name}: &${name} [${Array(9).fill(`*${"abcdefgh"[i]}`).join(",")}]`).join("\n")}\n`;
    expect((await diagnostics(bomb))[0]!.code).toBe("yaml-invalid");
  });

  it("always fails with a diagnostic that has a place", () => {
    const line = fc.oneof(fc.constantFrom(...good.split("\n")), fc.string({ maxLength: 30 }));
    const mutated = fc
      .tuple(fc.nat(good.length), fc.nat(20), fc.string({ maxLength: 10, unit: "binary" }))
      .map(([at, cut, extra]) => good.slice(0, at) + extra + good.slice(at + cut));
    let refused = 0;
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string({ unit: "binary" }),
          fc.array(line).map((lines) => lines.join("\n")),
          mutated,
        ),
        (text) => {
          for (const { place, problem } of diagnosticsOf(text)) {
            refused++;
            const [, row, column] = /^model\.yaml:(\d+):(\d+)$/.exec(place ?? "")!;
            expect(Number(row)).toBeLessThanOrEqual(text.split("\n").length + 1);
            expect(Number(column)).toBeGreaterThanOrEqual(1);
            expect(problem).not.toBe("");
          }
        },
      ),
      { numRuns: 300 },
    );
    expect(refused).toBeGreaterThan(300);
  });
});

describe("locate", () => {
  const text =
    "id: x\ngates:\n  checks:\n    - {kind: limit, metric: mae, max: 3}\n    - kind: limit\n      metric: rmse\n";
  it.each([
    [["id"], { line: 1, column: 1 }],
    [["gates", "checks", 0], { line: 4, column: 7 }],
    [["gates", "checks", 1, "metric"], { line: 6, column: 7 }],
    [["gates", "checks", 7], { line: 3, column: 3 }],
    [[], { line: 1, column: 1 }],
  ])("%j", (path, position) => {
    expect(locate(text, path)).toEqual(position);
  });

  it("gives null for text that is not YAML", () => {
    expect(locate("a: [", ["a"])).toBeNull();
  });
});
