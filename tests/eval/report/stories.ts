import type { VerdictFile } from "../../../eval/schema/verdict.ts";
import { check, identity, latencyCheck, limit, modelVerdict, verdictFile } from "./builders.ts";

/** One verdict file per outcome, as a team would see it. */
export const stories = {
  pass: verdictFile([modelVerdict()]),
  fail: verdictFile([
    modelVerdict({
      verdict: "FAIL",
      reason: "1 of 4 deciding checks is FAIL: auroc on source=imdb",
      checks: [
        check(),
        check({
          slice: "source=imdb",
          observed: 0.90211,
          baseline: 0.92104,
          difference: -0.01893,
          n: 1000,
          verdict: "FAIL",
          interval: { low: -0.02711, high: -0.01075, level: 0.9, method: "DeLong, paired" },
          reason: "worse by more than the margin: the whole interval lies below -0.005",
        }),
        limit(),
        latencyCheck(),
      ],
      policyChanges: [{ path: "gates.checks[0].margin", base: 0.005, candidate: 0.02 }],
      notes: ["The smallest AUROC loss that this dataset can show on source=imdb is 0.004"],
    }),
  ]),
  inconclusive: verdictFile([
    modelVerdict({
      model: identity({ id: "births", task: "regression" }),
      verdict: "INCONCLUSIVE",
      reason: "mae: not enough data to decide",
      dataset: { id: "births-2002-2003", digest: "f".repeat(64), rows: 730, badRows: 2 },
      checks: [
        check({
          metric: "mae",
          observed: 251.337,
          baseline: 249.812,
          difference: 1.525,
          unit: "births",
          direction: "lower",
          margin: 4,
          n: 730,
          verdict: "INCONCLUSIVE",
          interval: { low: -2.114, high: 5.302, level: 0.9, method: "BCa bootstrap, paired, 10,000 resamples" },
          reason: "the interval reaches past the margin: neither shown nor refuted with 730 rows",
        }),
        limit({
          metric: "model_bytes",
          observed: 4_512_345,
          baseline: 4_498_112,
          difference: 14_233,
          limit: { min: null, max: 10_000_000, confident: false },
          direction: "lower",
          unit: "bytes",
          n: 1,
        }),
        latencyCheck({
          verdict: "INCONCLUSIVE",
          advisory: true,
          reason: "the time cap was reached before the interval was narrow enough",
        }),
      ],
    }),
  ]),
  incomparable: verdictFile([
    modelVerdict({
      verdict: "INCOMPARABLE",
      reason: "the baseline was measured on another dataset",
      checks: [
        check({
          baseline: null,
          difference: null,
          interval: null,
          verdict: "INCOMPARABLE",
          reason: "the baseline's dataset digest is 0f1e2d3c, the candidate's a1b2c3d4",
        }),
        limit(),
      ],
    }),
  ]),
  noBaseline: verdictFile([
    modelVerdict({
      baseline: null,
      baselineSource: "no production/model.yaml at main: a first version",
      checks: [
        check({
          baseline: null,
          difference: null,
          interval: null,
          verdict: "INCONCLUSIVE",
          advisory: true,
          reason: "no baseline: no production/model.yaml at main: a first version",
        }),
        limit({ baseline: null, difference: null }),
      ],
    }),
  ]),
  error: verdictFile([
    modelVerdict({
      verdict: "ERROR",
      reason: "models/mood/model.onnx: its sha256 differs from the manifest's",
      checks: [],
      dataset: null,
      baseline: null,
      baselineSource: "not reached",
      policySource: "not reached",
    }),
  ]),
} satisfies Record<string, VerdictFile>;
