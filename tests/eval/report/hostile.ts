import fc from "fast-check";
import type { Check, ModelVerdict, VerdictFile, VerdictWord } from "../../../eval/schema/verdict.ts";
import type { MetricsFile } from "../../../eval/schema/metrics.ts";
import { check, identity, metricsFile, modelMetrics, modelVerdict, verdictFile } from "./builders.ts";

const words = ["PASS", "FAIL", "INCONCLUSIVE", "INCOMPARABLE", "ERROR"] as const satisfies readonly VerdictWord[];

/**
 * Fragments that break renderers: markup of every kind, ends of cells and lines, mentions, links, invisible characters.
 */
const shards = [
  "|",
  "`",
  "```",
  "\n",
  "\r\n",
  "<script>alert(1)</script>",
  "</details>",
  "<details>",
  "</summary>",
  "<!--",
  "-->",
  "]]>",
  "@octocat",
  "@org/team",
  "https://evil.example/x",
  "www.evil.example",
  "#1",
  "GH-1",
  "![x](http://e/x)",
  "[a](b)",
  "**",
  "__",
  "~~",
  "\\",
  "\\|",
  "&lt;",
  "&#64;",
  "$x$",
  "\u001b[2J",
  "\u0007",
  "\u202e",
  "\u200b",
  "😀",
  "é",
  " ",
  "a",
  "- ",
  "# ",
  "1. ",
  "' onload='x",
  '" onload="x',
  "{{x}}",
  "#a50005",
  'fill="#a50005"',
  "\ud800",
];

export const hostileText: fc.Arbitrary<string> = fc
  .array(fc.oneof(fc.constantFrom(...shards), fc.string({ maxLength: 6, unit: "binary" })), { maxLength: 12 })
  .map((parts) => parts.join(""));

const maybeNumber = fc.option(
  fc.oneof(fc.double({ noNaN: true, noDefaultInfinity: true }), fc.double({ min: -1, max: 1, noNaN: true })),
  { nil: null },
);

const hostileCheck: fc.Arbitrary<Check> = fc
  .record({
    slice: hostileText,
    reason: hostileText,
    unit: hostileText,
    id: hostileText,
    verdict: fc.constantFrom(...words),
    advisory: fc.boolean(),
    head: fc.option(hostileText, { nil: null }),
    observed: maybeNumber,
    baseline: maybeNumber,
    difference: maybeNumber,
    margin: maybeNumber.map((n) => (n === null ? null : Math.abs(n))),
    kind: fc.constantFrom("limit", "non-inferiority", "superiority", "equivalence"),
    direction: fc.constantFrom("higher", "lower"),
    interval: fc.option(
      fc
        .tuple(fc.double({ min: -2, max: 2, noNaN: true }), fc.double({ min: 0, max: 2, noNaN: true }), hostileText)
        .map(([low, width, method]) => ({ low, high: low + width, level: 0.9, method })),
      { nil: null },
    ),
  })
  .map((change) => check(change as Partial<Check>));

const hostileModel: fc.Arbitrary<ModelVerdict> = fc
  .record({
    id: hostileText,
    version: hostileText,
    sha: hostileText,
    reason: hostileText,
    source: hostileText,
    notes: fc.array(hostileText, { maxLength: 4 }),
    checks: fc.array(hostileCheck, { maxLength: 8 }),
    verdict: fc.constantFrom(...words),
    changes: fc.array(
      fc.record({ path: hostileText, base: fc.oneof(hostileText, fc.double()), candidate: hostileText }),
      { maxLength: 3 },
    ),
  })
  .map(({ id, version, sha, reason, source, notes, checks, verdict, changes }) =>
    modelVerdict({
      model: identity({ id, version, sha256: sha }),
      baseline: identity({ id, version: sha, sha256: version }),
      baselineSource: source,
      policySource: source,
      dataset: { id, digest: sha, rows: 3, badRows: 1 },
      reason,
      notes,
      checks,
      verdict,
      policyChanges: changes,
    }),
  );

export const hostileVerdict: fc.Arbitrary<VerdictFile> = fc
  .tuple(fc.array(hostileModel, { maxLength: 3 }), hostileText, fc.constantFrom(...words))
  .map(([models, reason, verdict]) => verdictFile(models, { reason, verdict, commit: reason, sluiceVersion: reason }));

/** Metrics with equally hostile slices, for the models of a verdict. */
export function hostileMetrics(verdict: VerdictFile): MetricsFile {
  return metricsFile(
    verdict.models.map((one) =>
      modelMetrics({
        model: one.model,
        measurements: one.checks.map(({ slice, unit }, i) => ({
          metric: "f1",
          options: {},
          head: one.reason,
          slice,
          unit,
          direction: "higher",
          result: { status: "ok", value: i / 10, interval: null, n: 5 },
        })),
      }),
    ),
  );
}
