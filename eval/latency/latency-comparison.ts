import { EvaluationError } from "../../models/core/errors.ts";
import type { Provider } from "../../models/core/session/session.ts";
import { quantile } from "../stats/quantile.ts";
import { RandomStream } from "../stats/random.ts";
import { withCompileCache } from "./compile-cache.ts";
import { startModelProcess, type ModelProcess, type ProcessDeps } from "./model-process.ts";
import { onSameProcessors } from "./processors.ts";
import type { OpenCommand } from "./protocol.ts";
import { arms, type Arm, type Block, type MeasuredRound, type Round } from "./rounds.ts";
import { blockOrder, MAX_ROUNDS, planRounds, shapeRound, type RoundShape } from "./schedule.ts";
import { sequentialTest, type InterimState, type Question, type TestSummary } from "./sequential-test.ts";

export type ComparisonOptions = {
  /** The same for both models. */
  provider?: Provider;
  threads?: number;
  /** Lookup step → the feature table of the exam. */
  histories?: OpenCommand["histories"];
  /** Rows per call; default: 1. */
  batch?: number;
  seed?: number;
  /** Hard limit: a round that would probably end later does not begin. */
  capMs?: number;
  /** Longest warm-up of a process, in ms of processor time; default: 400. */
  warmMs?: number;
  /** Milliseconds of busy work added to each of the candidate's calls, to prove that a slow-down is found. */
  slowdownMs?: number;
};

export type ComparisonDeps = ProcessDeps & {
  now?: () => number;
  /** Called after every round with the share of the planned rounds that is done. */
  onRound?: (round: Round, share: number) => void;
};

export type LatencyComparison = TestSummary & {
  rounds: MeasuredRound[];
  blocks: number;
  elapsedMs: number;
  provider: string;
  onnxruntime: string;
  threads: number;
};

/** Time cap of one comparison. */
export const defaultCapMs = 120_000;
const MAX_ROWS = 256;

/**
 * Is the candidate slower than the baseline? Both run in this job, on the same rows, threads and provider.
 *
 * A round starts four processes, two per model, warms them up, times them in random ABBA blocks, one process at a time,
 * and ends them. One call is one `Predictor.predict` of `batch` rows (preprocessing + run + postprocessing). The test
 * looks at the data after 7 rounds, and again each time there are a quarter more (sequential-test.ts). The comparison
 * ends when every question has its answer, after at most 100 rounds, or at the cap. Questions that are still open then
 * are inconclusive. All are inconclusive when the A/A arm excludes 1.
 *
 * @throws EvaluationError when a model cannot be run, or when the two got different providers
 */
export async function compareLatency(
  candidateDir: string,
  baselineDir: string,
  rows: OpenCommand["rows"],
  questions: readonly Question[],
  options: ComparisonOptions = {},
  deps: ComparisonDeps = {},
): Promise<LatencyComparison> {
  return withCompileCache(deps.env ?? process.env, (env) =>
    run(candidateDir, baselineDir, rows, questions, options, { ...deps, env }),
  );
}

async function run(
  candidateDir: string,
  baselineDir: string,
  rows: OpenCommand["rows"],
  questions: readonly Question[],
  options: ComparisonOptions,
  deps: ComparisonDeps,
): Promise<LatencyComparison> {
  const { batch = 1, seed = 1, capMs = defaultCapMs, warmMs = 400, slowdownMs = 0 } = options;
  const now = deps.now ?? (() => performance.now());
  const random = new RandomStream(seed);
  const begin = now();
  const sample = [...rows];
  random.shuffle(sample);
  const common = {
    rows: sample.slice(0, MAX_ROWS),
    warmMs,
    histories: options.histories ?? {},
    ...(options.provider === undefined ? {} : { provider: options.provider }),
    ...(options.threads === undefined ? {} : { threads: options.threads }),
  };
  const start = (arm: Arm) =>
    startModelProcess(
      {
        ...common,
        ...(arm.startsWith("candidate")
          ? { modelDir: candidateDir, slowdownMs }
          : { modelDir: baselineDir, slowdownMs: 0 }),
      },
      deps,
    );

  let shape: RoundShape | null = null;
  let maxRounds = MAX_ROUNDS;
  let used = { provider: "", onnxruntime: "", threads: 0 };
  const rounds: MeasuredRound[] = [];
  const test = sequentialTest(questions);
  let state: InterimState;
  do {
    const roundStart = now();
    const processes = await startAll(start);
    try {
      used = sharedRuntime(processes);
      shape ??= shapeRound(batch * Math.max(...arms.map((arm) => processes[arm].opened.callMs)), now() - roundStart);
      rounds.push(await measureRound(processes, shape, batch, rounds.length, random));
    } finally {
      await Promise.all(arms.map((arm) => processes[arm].close()));
    }
    if (rounds.length <= 2) maxRounds = planRounds(rounds.length, now() - begin, now() - roundStart, capMs);
    const average = (now() - begin) / rounds.length;
    const last = rounds.length >= maxRounds || now() - begin + average > capMs;
    state = test(rounds, maxRounds, last);
    deps.onRound?.(rounds.at(-1) as Round, rounds.length / maxRounds);
    if (last) break;
  } while (state.open);
  const elapsedMs = now() - begin;
  return {
    ...state.summary(elapsedMs),
    rounds,
    blocks: rounds.reduce((sum, round) => sum + round.blocks.length, 0),
    elapsedMs,
    ...used,
  };
}

/** Starts all processes at once. When one fails, the others are ended before its error is thrown. */
async function startAll(start: (arm: Arm) => Promise<ModelProcess>): Promise<Record<Arm, ModelProcess>> {
  const settled = await Promise.allSettled(arms.map(start));
  const failed = settled.find((one) => one.status === "rejected");
  if (failed !== undefined) {
    await Promise.all(settled.map((one) => (one.status === "fulfilled" ? one.value.close() : Promise.resolve())));
    throw failed.reason;
  }
  return Object.fromEntries(
    settled.map((one, i) => [arms[i], (one as PromiseFulfilledResult<ModelProcess>).value]),
  ) as Record<Arm, ModelProcess>;
}

/** @throws EvaluationError when the two models ran with different providers or numbers of threads */
function sharedRuntime(
  processes: Record<Arm, ModelProcess>,
): Pick<LatencyComparison, "provider" | "onnxruntime" | "threads"> {
  const [candidate, baseline] = [processes.candidate.opened, processes.baseline.opened];
  if (candidate.provider !== baseline.provider || candidate.threads !== baseline.threads) {
    throw new EvaluationError({
      code: "latency-unlike",
      problem: "the two models did not run on the same footing",
      expected: "one provider and one number of threads for both",
      received: `candidate ${candidate.provider} with ${candidate.threads} thread(s), baseline ${baseline.provider} with ${baseline.threads}`,
      hint: "give the contest its own provider and threads",
    });
  }
  return { provider: candidate.provider, onnxruntime: candidate.onnxruntime, threads: candidate.threads };
}

/**
 * Measures one round with processes that are already warm: `shape.blocks` blocks of eight turns, one process at a time,
 * all on the same processors where the system can do that. All turns of a block predict the same rows, so that long and
 * short texts favour neither model.
 */
export async function measureRound(
  processes: Record<Arm, ModelProcess>,
  shape: RoundShape,
  batch: number,
  index: number,
  random: RandomStream,
): Promise<MeasuredRound> {
  const durations: Record<Arm, Float64Array[]> = { baseline: [], baselineTwin: [], candidate: [], candidateTwin: [] };
  const blocks: Block[] = [];
  const sameProcessors = await onSameProcessors(
    arms.map((arm) => ({ pid: processes[arm].pid, threads: processes[arm].opened.threads })),
    index,
  );
  // After four warm-ups side by side, each process takes one short turn alone, so that the first block is like the
  // others.
  for (const arm of arms) await processes[arm].turn({ start: 0, batch, lead: 0, count: shape.lead + 1 });
  for (let i = 0; i < shape.blocks; i++) {
    const medians: Record<Arm, number[]> = { baseline: [], baselineTwin: [], candidate: [], candidateTwin: [] };
    const start = (index * shape.blocks + i) * shape.calls;
    for (const arm of blockOrder(random)) {
      const { durationsMs } = await processes[arm].turn({ start, batch, lead: shape.lead, count: shape.calls });
      medians[arm].push(quantile(durationsMs, 0.5));
      durations[arm].push(durationsMs);
    }
    blocks.push(medians as unknown as Block);
  }
  return {
    sameProcessors,
    blocks,
    queriesMs: {
      baseline: concatenated(durations.baseline),
      baselineTwin: concatenated(durations.baselineTwin),
      candidate: concatenated(durations.candidate),
      candidateTwin: concatenated(durations.candidateTwin),
    },
  };
}

function concatenated(parts: readonly Float64Array[]): Float64Array {
  const all = new Float64Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}
