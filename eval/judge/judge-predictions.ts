import type { Gates, MetricName } from "../../models/core/manifest/gates.ts";
import { catalog, type MetricDefinition } from "../metrics/catalog.ts";
import { unitUnder } from "../metrics/definition.ts";
import { falseRedOfGate } from "../power/false-red.ts";
import { rowsNote } from "../power/rows-needed.ts";
import type { Check, FalseRed, VerdictWord } from "../schema/verdict.ts";
import type { Waiver } from "../schema/waivers.ts";
import { answerNotes } from "./answer-notes.ts";
import type { Evidence } from "./evidence.ts";
import { judgeCheck } from "./judge-check.ts";
import { judgeModel } from "./judge.ts";
import type { PlannedCheck } from "./plan-checks.ts";
import { qualityEvidence, type MeasuredPair } from "./quality-evidence.ts";
import { scoreNotes } from "./score-notes.ts";
import { sliceNote } from "./slice-regressions.ts";
import { smallSampleNote } from "./small-sample.ts";
import { applyWaivers } from "./apply-waivers.ts";

export type JudgeRequest = {
  gates: Pick<Gates, "minimumPerClass" | "onInsufficient">;
  /** Check id → evidence that does not come from the predictions: what running the model costs. */
  measuredElsewhere?: ReadonlyMap<string, Evidence>;
  /** Direction and unit of a metric; default: the catalog's. */
  definitionOf?: (metric: MetricName) => Pick<MetricDefinition, "direction" | "unit"> | undefined;
  /** Unit of a regression's predictions, which only the manifest knows; default: none. */
  labelUnit?: (head: string | null) => string;
  declaredAt?: (planned: PlannedCheck) => Check["declaredAt"];
  /** The waivers of this model. `today` is YYYY-MM-DD, UTC. */
  waivers?: { waivers: readonly Waiver[]; today: string };
};

export type JudgedPredictions = {
  checks: Check[];
  verdict: VerdictWord;
  reason: string;
  expectedFalseRed: FalseRed | null;
  /** Notes for the reader about the checks; null where there is nothing to say. */
  notes: {
    waivers: string[];
    /** What is odd about the scores themselves. */
    scores: string[];
    regressedSlices: string | null;
    smallSamples: string | null;
    rowsNeeded: string | null;
  };
};

/**
 * Judges a candidate's predictions against its baseline's: the evidence and verdict of each planned check, the waivers,
 * and the verdict over all of them. Pure. Every command that judges predictions does it here.
 */
export function judgePredictions(
  pair: MeasuredPair,
  planned: readonly PlannedCheck[],
  request: JudgeRequest,
): JudgedPredictions {
  const { gates, labelUnit = () => "" } = request;
  const definitionOf = request.definitionOf ?? ((metric) => catalog.get(metric));
  const cautions: { metric: string; slice: string; caution: string }[] = [];
  const judged = planned.map((one): Check => {
    const { metric } = one.policy;
    const definition = definitionOf(metric);
    const evidence = request.measuredElsewhere?.get(one.id) ?? qualityEvidence(one, pair, gates.minimumPerClass);
    if ("caution" in evidence && evidence.caution !== undefined)
      cautions.push({ metric, slice: one.slice, caution: evidence.caution });
    const check = judgeCheck(one, evidence, {
      direction: definition?.direction ?? "higher",
      unit: definition === undefined ? "" : unitUnder(definition, one.policy, labelUnit(one.head)),
      onInsufficient: gates.onInsufficient,
      declaredAt: request.declaredAt?.(one) ?? null,
    });
    return { ...check, ...signatureOf(one, pair) };
  });
  const { checks, notes: waivers } = applyWaivers(judged, request.waivers?.waivers ?? [], request.waivers?.today ?? "");
  return {
    checks,
    ...judgeModel(checks),
    expectedFalseRed: falseRedOfGate(checks),
    notes: {
      waivers,
      scores: [
        ...[...pair.candidate.values()].flatMap((measurer) => [
          ...scoreNotes("candidate", measurer),
          ...answerNotes("candidate", measurer),
        ]),
        ...[...pair.baseline.values()].flatMap((one) =>
          one.kind === "paired" && !one.same
            ? [...scoreNotes("baseline", one.measurer), ...answerNotes("baseline", one.measurer)]
            : [],
        ),
      ],
      regressedSlices: sliceNote(checks),
      smallSamples: smallSampleNote(cautions),
      rowsNeeded: rowsNote(checks),
    },
  };
}

/** Of the candidate's figure; the baseline's has the same, because the pairing holds references against each other. */
function signatureOf({ policy, head, slice }: PlannedCheck, pair: MeasuredPair): { signature?: string } {
  const sample = pair.candidate.get(head ?? "")?.sample(slice) ?? null;
  const signature = sample === null ? undefined : catalog.get(policy.metric)?.signature?.(sample, policy);
  return signature === undefined ? {} : { signature };
}
