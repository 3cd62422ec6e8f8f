import type { ManifestInput } from "../../models/core/manifest/manifest.ts";
import { catalog } from "../metrics/catalog.ts";
import type { Candidate } from "./candidate.ts";
import { Lacking, type HeadPlan, type InputPlan, type Step } from "./scene.ts";
import type { Trial } from "./trial.ts";

type Ran = Candidate & { trial: Extract<Trial, { ok: true }> };
export type Choice = {
  best: Ran;
  /** The best of the others that run. */
  runnerUp: Ran | null;
  tried: { says: string; result: string }[];
  /** A text step pads every row alike, because the graph lets padding leak. */
  padded: boolean;
};

type Run = (candidate: Candidate, most: number) => Promise<Trial>;

/** How much better a less likely wiring must be, in the metric's unit, before it is taken. */
const clearlyBetter = 0.02;
const leastGain = 0.004;
/** R² below which a regression's target may have been transformed. */
const goodEnough = 0.9;
const rankingRows = 300;
const allRows = 5000;

/**
 * Ranks wirings by running them. The first is the likeliest, and another one is taken only when it is clearly better.
 * One that wins only because two classes change places is never taken: whoever is right about nothing is right about
 * everything when the classes are swapped, so that proves nothing.
 *
 * @param anyway take the best even where it is no better than knowing nothing
 * @throws Lacking when none runs, when the classes look swapped, or when none knows anything
 */
export async function chooseWiring(
  inputs: readonly InputPlan[],
  heads: readonly HeadPlan[],
  run: Run,
  onTrial: (says: string, result: string) => void,
  anyway: boolean,
): Promise<Choice> {
  const tried: Choice["tried"] = [];
  const ran: Ran[] = [];
  const attempt = async (candidate: Candidate, says: string, most = rankingRows): Promise<Ran | null> => {
    const trial = await run(candidate, most);
    const result = trial.ok
      ? `${trial.metric} ${shown(trial.value)} on ${trial.rows} rows`
      : `does not run: ${trial.why}`;
    tried.push({ says, result });
    onTrial(says, result);
    if (!trial.ok) return null;
    const one = { ...candidate, trial };
    ran.push(one);
    return one;
  };
  const better = (a: Ran, b: Ran) => {
    const sign = catalog.get(a.trial.metric)!.direction === "higher" ? 1 : -1;
    return sign * (a.trial.value - b.trial.value);
  };
  /** By `clearlyBetter`, or, where little is left to gain, by half of what was wrong. */
  const clearly = (a: Ran, b: Ran) => {
    const gain = better(a, b);
    if (gain > clearlyBetter) return true;
    const bounded = catalog.get(a.trial.metric)!.direction === "higher";
    return bounded && gain > leastGain && 1 - a.trial.value < (1 - b.trial.value) / 2;
  };
  const classes = heads[0]!.head.kind === "classification";
  // A chain of activations: the first that gives possible answers is right. Other heads are ranked afterwards.
  let head: HeadPlan | null = null;
  let best: Ran | null = null;
  for (const input of inputs) {
    const open: readonly HeadPlan[] = head === null ? heads : [head];
    for (const one of open) {
      const says =
        one === heads[0] || one === head || !("activation" in one.head)
          ? input.says
          : `${input.says}; activation ${one.head.activation}`;
      const found: Ran | null = await attempt({ input, head: one }, says);
      if (found === null) continue;
      if (found.trial.twice) {
        ran.pop();
        continue;
      }
      head = one;
      if (best === null || clearly(found, best)) best = found;
      break;
    }
  }
  if (best === null)
    throw new Lacking([
      `no way to feed the graph works:${tried.map(({ says, result }) => `\n  - ${says}: ${result}`).join("")}`,
    ]);
  if (!classes)
    for (const one of heads.filter((other) => other !== head))
      // What was done to the inputs in training, and what to the target, show only together.
      for (const input of best.trial.value < goodEnough ? inputs : [best.input]) {
        const found = await attempt({ input, head: one }, `${input.says}; ${one.says}`);
        if (found !== null && clearly(found, best)) best = found;
      }
  let padded = false;
  if (best.trial.leaks) {
    const input = paddedAlike(best.input);
    const found =
      input === null ? null : await attempt({ input, head: best.head }, `${input.says}, every row padded alike`);
    if (found !== null && !found.trial.leaks) {
      best = found;
      padded = true;
    }
  }
  const whole = await run(best, allRows);
  if (whole.ok) best = { ...best, trial: whole };
  refuseSwapped(best);
  if (!anyway) refuseUseless(best, tried);
  const others = ran
    .filter((one) => one.input !== best.input || one.head !== best.head)
    .toSorted((a, b) => better(b, a));
  return { best, runnerUp: others[0] ?? null, tried, padded };
}

export const shown = (value: number): string =>
  Math.abs(value) >= 1e6 ? value.toPrecision(3) : Math.abs(value) >= 100 ? value.toFixed(1) : value.toFixed(4);

/** Far below chance, beyond what few rows do by themselves. */
function refuseSwapped({ head, trial }: Ran): void {
  if (head.task !== "binary-classification" || trial.metric !== "auroc") return;
  const error = 0.5 / Math.sqrt(Math.max(1, trial.rows));
  if (trial.value > 0.5 - 3 * error || head.head.kind !== "classification") return;
  const { labels } = head.head;
  throw new Lacking([
    `the classes look swapped: with ${labels.join(", ")} in this order the AUROC is ${shown(trial.value)} on ${trial.rows} rows, and the reverse would have ${shown(1 - trial.value)}. A better figure proves no order, so look it up where the model was trained, and say it with --labels ${labels.toReversed().join(",")} (or --labels ${labels.join(",")}, if the model is really that wrong)`,
  ]);
}

/** Standard deviation of the AUROC of a model that knows nothing (Mann and Whitney 1947). */
function chanceError([a = 0, b = 0]: readonly number[]): number {
  return Math.sqrt((a + b + 1) / (12 * Math.max(1, a * b)));
}

/** No wiring answers better than somebody who does not look at the row: then it is none of these. */
function refuseUseless({ head, trial }: Ran, tried: Choice["tried"]): void {
  const { labels, classes } = trial.predictions;
  const counts = classes.map((_, i) => labels.reduce((sum, one) => sum + Number(one === i), 0));
  const nothing =
    trial.metric === "r2"
      ? 0
      : trial.metric === "auroc"
        ? 0.5 + 1.645 * chanceError(counts)
        : trial.metric === "accuracy"
          ? Math.max(0, ...counts) / labels.length
          : null;
  if (nothing === null || trial.value > nothing) return;
  throw new Lacking([
    `the best that was found is no better than an answer that ignores the row (${trial.metric} ${shown(trial.value)}, against ${shown(nothing)}), so how "${head.head.name}" is fed or read must be another:${tried.map(({ says, result }) => `\n  - ${says}: ${result}`).join("")}\n  write model.yaml by hand, or say --anyway if the model is really that bad`,
  ]);
}

function paddedAlike(input: InputPlan): InputPlan | null {
  const entries = Object.entries(input.steps);
  if (!entries.some(([, step]) => step.kind === "text")) return null;
  const steps: ManifestInput["preprocess"] = Object.fromEntries(
    entries.map(([name, step]): [string, Step] => [
      name,
      step.kind === "text" ? { ...step, padTo: step.padTo ?? step.maxTokens ?? 512 } : step,
    ]),
  );
  return { ...input, steps };
}
