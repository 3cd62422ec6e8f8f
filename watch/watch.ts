import { mkdir, readFile, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { judgeRun } from "../eval/judge/judge.ts";
import { writeFileAtomic } from "../models/core/atomic-write.ts";
import { ConfigurationError, EvaluationError } from "../models/core/errors.ts";
import type { Gates } from "../models/core/manifest/gates.ts";
import { watchPolicy, type WatchPolicy } from "../models/core/manifest/watch.ts";
import type { LiveCounts } from "../models/profile/live.ts";
import type { Profile } from "../models/profile/schema.ts";
import { sluiceVersion } from "../models/core/version.ts";
import { judgeLive } from "./judge.ts";
import { readLive, type ReadDeps } from "./live/read.ts";
import { dueTraining, withAsked, type RetrainRequest } from "./retrain/ask.ts";
import { renderWatchHtml } from "./report/html.ts";
import { renderWatchMarkdown } from "./report/markdown.ts";
import { watchState, type ChangeState, type WatchState } from "./schema/state.ts";
import type { WatchedModel, WatchFile } from "./schema/verdict.ts";
import { changesOf, emptyState, hoursOf, instancesSince, withChanges, withLive } from "./live/state.ts";

/** One live model: where its servers are, and what it is judged by. */
export type WatchTarget = {
  model: string;
  /** One origin per replica that can be reached by itself; one for a service before all of them. */
  origins: readonly string[];
  /** null: those that the deployed profile names. */
  gates: Gates | null;
  /** Without gates of its own, the settings that the profile names come over these. */
  policy: WatchPolicy;
  /** Whether model.yaml says how it is trained. */
  trains?: boolean;
};

export type WatchRequest = {
  targets: readonly WatchTarget[];
  /** Absolute. */
  out: string;
  /** Absolute path of the file that keeps counts between runs; null to keep none. */
  state: string | null;
};

export type WatchDeps = ReadDeps & {
  now: () => Date;
  onNote?: (text: string) => void;
  /** Starts a training, where the watch may; its failure is a note. */
  retrain?: (request: RetrainRequest) => Promise<void>;
};

export type WatchFiles = { verdict: string; markdown: string; html: string };

/**
 * Reads the counts of live models, keeps them, judges each against its profile, and writes verdict.json, report.md and
 * report.html below `out`. A model whose server does not answer is ERROR and does not stop the others.
 *
 * @throws ConfigurationError for a state file that is none
 */
export async function runWatch(
  { targets, out, state: stateFile }: WatchRequest,
  deps: WatchDeps,
): Promise<{ verdict: WatchFile; files: WatchFiles }> {
  const files = {
    verdict: join(out, "verdict.json"),
    markdown: join(out, "report.md"),
    html: join(out, "report.html"),
  };
  // An older run's report must not pass for this one's, however it ends.
  for (const file of Object.values(files)) await rm(file, { force: true });
  let state = stateFile === null ? emptyState() : await readState(stateFile);
  const models: WatchedModel[] = [];
  for (const target of targets) {
    const look = await lookAt(target, state, deps);
    state = look.state;
    models.push(look.model);
  }
  const verdict: WatchFile = {
    schemaVersion: 1,
    kind: "watch",
    ...judgeRun(models),
    sluiceVersion,
    createdAt: deps.now().toISOString(),
    models,
  };
  await mkdir(out, { recursive: true });
  await writeFileAtomic(files.verdict, `${JSON.stringify(verdict, null, 2)}\n`);
  await writeFileAtomic(files.markdown, renderWatchMarkdown(verdict));
  await writeFileAtomic(files.html, renderWatchHtml(verdict));
  state = await askForTrainings(verdict, targets, state, deps);
  if (stateFile !== null) {
    await mkdir(dirname(stateFile), { recursive: true });
    await writeFileAtomic(stateFile, `${JSON.stringify(state)}\n`);
  }
  return { verdict, files };
}

/** Asks once for what a training may mend. @returns the state, with what was asked for */
async function askForTrainings(
  verdict: WatchFile,
  targets: readonly WatchTarget[],
  before: WatchState,
  { retrain, now, onNote }: WatchDeps,
): Promise<WatchState> {
  if (retrain === undefined) return before;
  let state = before;
  for (const model of verdict.models) {
    const { id } = model.model;
    if (model.verdict === "PASS") state = withAsked(state, id, null);
    const due = dueTraining(model, state, now());
    if (due === null) continue;
    if (targets.find((one) => one.model === id)?.trains !== true) {
      onNote?.(`${id} drifted, and its model.yaml has no \`train\`: nothing is started`);
      continue;
    }
    try {
      await retrain({ model: id, reason: due.reason, report: renderWatchMarkdown({ ...verdict, models: [model] }) });
      onNote?.(`the training of ${id} was started: ${due.reason}`);
      state = withAsked(state, id, due.asked);
    } catch (error) {
      onNote?.(`the training of ${id} could not be started: ${(error as Error).message}`);
    }
  }
  return state;
}

/**
 * One look at one live model: reads the counts of its servers, adds them to the state and judges. A second look at the
 * same counts changes nothing.
 */
export async function lookAt(
  target: WatchTarget,
  before: WatchState,
  deps: WatchDeps,
): Promise<{ model: WatchedModel; state: WatchState }> {
  const read = await readAll(target, deps);
  const state = read.counts.reduce((so, live) => withLive(so, live, deps.now()), before);
  const { model, changes } = judged(target, read, state, deps.now());
  return { model, state: changes === null ? state : withChanges(state, target.model, changes) };
}

/** Fewer refused labels, or a smaller share of all, are said nowhere. */
const FEWEST_REFUSED = 50;
const MOST_REFUSED = 0.1;

type ReadResult = { counts: LiveCounts[]; problems: string[] };

async function readAll(target: WatchTarget, deps: WatchDeps): Promise<ReadResult> {
  const counts: LiveCounts[] = [];
  const problems: string[] = [];
  for (const origin of target.origins)
    try {
      counts.push(await readLive(origin, target.model, deps));
    } catch (error) {
      if (!(error instanceof EvaluationError)) throw error;
      problems.push(error.message);
      deps.onNote?.(error.message);
    }
  return { counts, problems };
}

/** `changes` is null where nothing was judged. */
type Judged = { model: WatchedModel; changes: Record<string, ChangeState> | null };

function judged(target: WatchTarget, { counts, problems }: ReadResult, state: WatchState, now: Date): Judged {
  const newest = counts.at(-1);
  const url = [...target.origins];
  const without = (verdict: "ERROR" | "INCOMPARABLE", reason: string): Judged => ({
    model: {
      model: newest?.model ?? { id: target.model, version: "unknown", sha256: "" },
      url,
      profile: null,
      window: null,
      labels: [],
      events: [],
      verdict,
      reason,
      checks: [],
      figures: [],
      distributions: [],
      notes: [],
    },
    changes: null,
  });
  if (newest === undefined) return without("ERROR", problems.join(" ") || "no server was named");
  if (newest.profile === null || newest.profileSha256 === null)
    return without(
      "INCOMPARABLE",
      `the server has nothing to compare with: ${newest.withoutProfile ?? "it has no profile"}`,
    );
  const other = counts.find(({ profileSha256 }) => profileSha256 !== newest.profileSha256);
  if (other !== undefined)
    return without(
      "INCOMPARABLE",
      `the servers have different versions: ${other.model.version} and ${newest.model.version}`,
    );
  const { model, changes } = judgeLive(
    {
      model: newest.model,
      url,
      profile: newest.profile,
      profileSha256: newest.profileSha256,
      hours: hoursOf(state, target.model),
      instances: (since) => instancesSince(state, target.model, since),
      changes: changesOf(state, target.model),
    },
    target.gates ?? newest.profile.rules?.gates ?? null,
    policyOf(target, newest.profile),
    now,
  );
  const pending = counts.reduce((sum, one) => sum + one.pending, 0);
  return {
    model: {
      ...model,
      // A replica that does not answer may be the one that sees the drift.
      ...(problems.length === 0 ? {} : { verdict: "ERROR", reason: problems.join(" ") }),
      notes: [
        ...model.notes,
        ...refusedLabels(counts),
        ...(pending === 0 ? [] : [`${pending} rows wait to be shown: fewer than ten are not.`]),
      ],
    },
    changes,
  };
}

/** Labels that were refused are many: somebody guesses ids, sends other labels for the same answers, or is late. */
function refusedLabels(counts: readonly LiveCounts[]): string[] {
  const of = (result: string) => counts.reduce((sum, { feedback }) => sum + (feedback[result] ?? 0), 0);
  const [unknown, conflict, recorded] = [of("unknown"), of("conflict"), of("recorded")];
  const refused = unknown + conflict;
  if (refused < FEWEST_REFUSED || refused < MOST_REFUSED * (refused + recorded)) return [];
  return [
    `Of ${refused + recorded} labels since the start of the servers ${refused} were refused: ${unknown} for predictions that are not known (too late, from before a restart, or guessed), ${conflict} against an earlier label of the same answer. Who sends labels?`,
  ];
}

/** The model's own settings go over those of the repository, except that a watch never looks less often than it does. */
function policyOf({ gates, policy }: WatchTarget, { rules }: Profile): WatchPolicy {
  if (gates !== null || rules?.watch === undefined) return policy;
  const own = watchPolicy(policy, rules.watch);
  return { ...own, looksPerYear: Math.max(own.looksPerYear, policy.looksPerYear) };
}

/** @throws ConfigurationError */
async function readState(file: string): Promise<WatchState> {
  const text = await readFile(file, "utf8").catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return null;
    throw error;
  });
  if (text === null) return emptyState();
  const refuse = (received: string) =>
    new ConfigurationError({
      code: "watch-state",
      place: file,
      problem: "the file is not the state of a watch",
      expected: "a file that an earlier `sluice watch --state` wrote, or none",
      received,
      example: "--state watch-state.json",
    });
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    throw refuse("no JSON");
  }
  const parsed = watchState.safeParse(json);
  if (!parsed.success) throw refuse(`${parsed.error.issues[0]?.path.join(".")}: ${parsed.error.issues[0]?.message}`);
  return parsed.data;
}
