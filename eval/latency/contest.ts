import { EvaluationError } from "../../models/core/errors.ts";
import type { Provider } from "../../models/core/session/session.ts";
import { RandomStream } from "../stats/random.ts";
import { withCompileCache } from "./compile-cache.ts";
import type { Contest } from "./contest-result.ts";
import type { Question } from "./decide.ts";
import { referee, type Standing } from "./referee.ts";
import { startModelProcess, type ModelProcess, type ProcessDeps } from "./model-process.ts";
import { measureRound } from "./measure-round.ts";
import type { OpenCommand } from "./protocol.ts";
import { arms, type Arm, type MeasuredRound, type Round } from "./rounds.ts";
import { MOST_ROUNDS, planRounds, shapeRound, type RoundShape } from "./schedule.ts";

export type ContestOptions = {
  /** The same for both models. */
  provider?: Provider;
  threads?: number;
  /** Rows per call; 1 unless told. */
  batch?: number;
  seed?: number;
  /** Hard limit: no round begins that would probably end later. */
  capMs?: number;
  /** Longest warm-up of a process, ms of processor time; 400 unless told. */
  warmMs?: number;
  /** Milliseconds of busy work added to each of the candidate's calls: for proving that a slow-down is found. */
  slowdownMs?: number;
};

export type ContestDeps = ProcessDeps & {
  now?: () => number;
  /** Called after every round, with the share of the planned rounds that is done. */
  onRound?: (round: Round, share: number) => void;
};

const DEFAULT_CAP_MS = 120_000;
const MOST_ROWS = 256;

/**
 * Is the candidate slower than the baseline? Both run in this job, on the same rows, threads and provider.
 *
 * A round starts four processes, two per model, warms them up and times them in random ABBA blocks, one process at a
 * time; then they end. One call is one `Predictor.predict` of `batch` rows (preprocessing + run + postprocessing).
 * After 7 rounds and then each time a quarter more are there the questions are looked at (decide.ts); it ends when all
 * are decided, after at most 100 rounds, or at the cap. What is still open then is inconclusive, and so is everything
 * when the A/A arm excludes 1.
 *
 * @throws EvaluationError when a model cannot be run, or when the two got different providers.
 */
export async function contest(
  candidateDir: string,
  baselineDir: string,
  rows: OpenCommand["rows"],
  questions: readonly Question[],
  options: ContestOptions = {},
  deps: ContestDeps = {},
): Promise<Contest> {
  return withCompileCache(deps.env ?? process.env, (env) =>
    run(candidateDir, baselineDir, rows, questions, options, { ...deps, env }),
  );
}

async function run(
  candidateDir: string,
  baselineDir: string,
  rows: OpenCommand["rows"],
  questions: readonly Question[],
  options: ContestOptions,
  deps: ContestDeps,
): Promise<Contest> {
  const { batch = 1, seed = 1, capMs = DEFAULT_CAP_MS, warmMs = 400, slowdownMs = 0 } = options;
  const now = deps.now ?? (() => performance.now());
  const random = new RandomStream(seed);
  const begin = now();
  const sample = shuffled(rows, random).slice(0, MOST_ROWS);
  const common = {
    rows: sample,
    warmMs,
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
  let maxRounds = MOST_ROUNDS;
  let used = { provider: "", onnxruntime: "", threads: 0 };
  const rounds: MeasuredRound[] = [];
  const judge = referee(questions);
  let standing: Standing;
  do {
    const roundStart = now();
    const processes = await startAll(start);
    try {
      used = agreed(processes);
      shape ??= shapeRound(batch * Math.max(...arms.map((arm) => processes[arm].opened.callMs)), now() - roundStart);
      rounds.push(await measureRound(processes, shape, batch, rounds.length, random));
    } finally {
      await Promise.all(arms.map((arm) => processes[arm].close()));
    }
    if (rounds.length <= 2) maxRounds = planRounds(rounds.length, now() - begin, now() - roundStart, capMs);
    const average = (now() - begin) / rounds.length;
    const last = rounds.length >= maxRounds || now() - begin + average > capMs;
    standing = judge(rounds, maxRounds, last);
    deps.onRound?.(rounds.at(-1) as Round, rounds.length / maxRounds);
    if (last) break;
  } while (standing.open);
  const elapsedMs = now() - begin;
  return {
    ...standing.summary(elapsedMs),
    rounds,
    blocks: rounds.reduce((sum, round) => sum + round.blocks.length, 0),
    elapsedMs,
    ...used,
  };
}

function shuffled<Item>(items: readonly Item[], random: RandomStream): Item[] {
  const copy = [...items];
  for (let i = copy.length - 1; i > 0; i--) {
    const j = random.below(i + 1);
    [copy[i], copy[j]] = [copy[j] as Item, copy[i] as Item];
  }
  return copy;
}

/** Starts all at once; when one fails, the others are ended before the failure is told. */
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

function agreed(processes: Record<Arm, ModelProcess>): { provider: string; onnxruntime: string; threads: number } {
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
