import { ConfigurationError } from "../../models/core/errors.ts";
import type { RolloutPlan } from "../../models/core/rollout/plan.ts";
import type { RolloutStatus } from "../../models/core/rollout/status.ts";
import type { RolloutNote } from "../../github/registry/rollout.ts";
import type { Context } from "../context.ts";
import { deploy } from "../deploy.ts";
import type { DeploymentReceipt } from "../receipt.ts";
import type { RolloutNotes } from "../record/rollout-notes.ts";
import { candidateTree, planIn } from "../rollout-trees.ts";
import { recordOf, urlOf } from "../serve-proof.ts";
import { nextOf, type Wish } from "./next.ts";
import { rolloutServer } from "./server.ts";

/** Words of a roll-out that are kept at most. */
const maxHistory = 40;

/** What a look at a roll-out has found and done. `receipt`: of the deployment to everybody. */
export type RolloutLook = {
  verdict: "PASS" | "FAIL" | "INCONCLUSIVE";
  words: string;
  note: RolloutNote;
  status: RolloutStatus | null;
  receipt: DeploymentReceipt | null;
  notRecorded: string[];
};

/**
 * Looks at a roll-out once and does the next thing: begins a step, hands back what a restart has lost, waits for a
 * person, ends it, or deploys the candidate for everybody. Looks may be repeated, and may overlap with those of others:
 * each step is begun from the one before it, and the deployment holds the lock.
 *
 * @param secret SLUICE_ROLLOUT_KEY
 * @throws ConfigurationError where the Space holds no roll-out
 */
export async function lookAtRollout(
  context: Context,
  notes: RolloutNotes,
  secret: string,
  wish: Wish,
): Promise<RolloutLook> {
  const { space, deps, timeline } = context;
  const now = () => new Date(deps.now()).toISOString();
  const info = await space.info();
  const plan = await planIn(context, info.head);
  const known = await notes.read();
  if (plan === null) return withoutPlan(context, notes, known, info.head, now());
  const problems: string[] = [];
  let note = known?.rollout === plan.id ? known : fresh(plan, space.name, now());
  if (note.ended !== null) return ended(note, null);
  const said = (words: string) => {
    timeline.note(words);
    note = { ...note, history: [...note.history, { at: now(), words }].slice(-maxHistory) };
  };
  const record = async (state: "in_progress" | "success" | "failure" | "inactive", description: string) => {
    try {
      const deployment = note.deployment ?? (await notes.open(note));
      note = { ...note, deployment };
      if (deployment !== null) await notes.status(deployment, { state, description, environmentUrl: null });
    } catch (error) {
      problems.push(`the roll-out's step could not be recorded (${(error as Error).message})`);
    }
  };
  const saw = (status: RolloutStatus) => {
    const { verdict, action, reason } = status.decision;
    const rows = Math.max(note.seen.rows, status.rows.candidateTotal);
    note = { ...note, instance: status.instance, seen: { at: now(), verdict, action, reason, rows } };
    // A process that has not begun knows nothing that would be worth more than what is noted.
    if (status.state !== undefined) note = { ...note, state: status.state };
  };
  const finish = async (verdict: "PASS" | "FAIL" | "INCONCLUSIVE", words: string, by: string | null) => {
    said(words);
    note = { ...note, waitsFor: null, ended: { at: now(), verdict, reason: words, by, rows: note.seen.rows } };
    await record(
      verdict === "PASS" ? "success" : verdict === "FAIL" ? "failure" : "inactive",
      `${verdict} after ${note.seen.rows} rows of the candidate: ${words}`,
    );
  };

  const url = urlOf(context, await space.runtime());
  const server = url === null ? null : rolloutServer(context, url, plan, secret, info.private);
  const status = server === null ? "the Hub names no address for the running Space" : await server.status();
  if (typeof status === "string" || status.rollout !== plan.id) {
    const words = typeof status === "string" ? status : "the Space does not run the roll-out's revision yet";
    await notes.write({ ...note, seen: { ...note.seen, at: now(), reason: words } });
    return { verdict: "INCONCLUSIVE", words, note, status: null, receipt: null, notRecorded: problems };
  }
  const restarted = note.step >= 0 && status.step < 0;
  const next = nextOf(note, status, plan.settings, wish);
  const by = wish?.by ?? null;
  let receipt: DeploymentReceipt | null = null;
  let words = next.words;
  switch (next.kind) {
    case "nothing":
      saw(status);
      break;
    case "wait":
      saw(status);
      if (note.waitsFor !== next.step) {
        said(words);
        await record("in_progress", words);
      }
      note = { ...note, waitsFor: next.step };
      break;
    case "begin": {
      const state = next.handBack ? { state: note.state } : {};
      const answered = await server!.command({ rollout: plan.id, from: status.step, step: next.step, ...state });
      if (typeof answered === "string") {
        words = `the Space did not begin ${status.steps[next.step]?.name}: ${answered}`;
        // Evidence that is not taken back is given up, and the step starts again at the next look.
        if (next.handBack && /other-state|not one of this roll-out/.test(answered)) note = { ...note, state: null };
        break;
      }
      note = { ...note, step: next.step, waitsFor: null, restarts: note.restarts + (restarted ? 1 : 0) };
      saw(answered);
      said(words);
      await record("in_progress", words);
      break;
    }
    case "end": {
      saw(status);
      if (next.notify) {
        const end = next.verdict === "FAIL" ? ("ABORT" as const) : ("KEEP_BASELINE" as const);
        const verdict = next.verdict === "FAIL" ? ("FAIL" as const) : ("INCONCLUSIVE" as const);
        const answered = await server!.command({ rollout: plan.id, end, verdict, reason: words.slice(0, 500) });
        if (typeof answered === "string") {
          words = `the Space did not end the roll-out: ${answered}`;
          break;
        }
      }
      await finish(next.verdict, words, next.notify ? by : null);
      break;
    }
    case "promote": {
      saw(status);
      // Written before: whoever looks while it is deployed, or after a kill, sees who has decided.
      said(`to everybody: ${words}`);
      await notes.write(note);
      const tree = await candidateTree(context, info.head);
      receipt = await deploy(tree, { ...context, commit: tree.deployed.source.commit ?? context.commit });
      if (receipt.outcome === "live") {
        words = `live for everybody, proved: ${words}`;
        await finish("PASS", words, by);
      } else {
        words = `everybody still gets the live version: ${receipt.reason}`;
        said(words);
      }
      problems.push(...receipt.notRecorded);
    }
  }
  await notes.write(note);
  const verdict = note.ended?.verdict ?? "INCONCLUSIVE";
  return { verdict, words, note, status, receipt, notRecorded: problems };
}

const fresh = (plan: RolloutPlan, space: string, at: string): RolloutNote => ({
  schemaVersion: 1,
  rollout: plan.id,
  model: plan.model,
  baseline: plan.baseline.version,
  candidate: plan.candidate.version,
  space,
  startedAt: at,
  step: -1,
  instance: null,
  state: null,
  restarts: 0,
  waitsFor: null,
  seen: { at, verdict: "INCONCLUSIVE", action: "WAIT", reason: "not looked at yet", rows: 0 },
  ended: null,
  deployment: null,
  history: [],
});

const ended = (note: RolloutNote, status: RolloutStatus | null): RolloutLook => ({
  verdict: note.ended?.verdict ?? "INCONCLUSIVE",
  words: note.ended?.reason ?? note.seen.reason,
  note,
  status,
  receipt: null,
  notRecorded: [],
});

/**
 * A Space without a roll-out: one that has ended, or whose controller was killed between deploying the candidate for
 * everybody and writing that down.
 */
async function withoutPlan(
  context: Context,
  notes: RolloutNotes,
  known: RolloutNote | null,
  head: string,
  at: string,
): Promise<RolloutLook> {
  if (known === null || known.space !== context.space.name)
    throw new ConfigurationError({
      code: "rollout-none",
      place: `spaces/${context.space.name}`,
      problem: "the Space holds no roll-out",
      expected: "a candidate beside the live version",
      example: "sluice deploy MODEL --rollout",
    });
  if (known.ended !== null) return ended(known, null);
  const serves = (await recordOf(context, head))?.deployed.model.version;
  const isPromoted = serves === known.candidate;
  const reason = isPromoted
    ? "live for everybody: an earlier run had deployed it and was ended before it could write that down"
    : `the Space holds ${serves ?? "something else"} now, without the roll-out`;
  const verdict = isPromoted ? ("PASS" as const) : ("INCONCLUSIVE" as const);
  const note = { ...known, waitsFor: null, ended: { at, verdict, reason, by: null, rows: known.seen.rows } };
  await notes.write(note);
  if (note.deployment !== null)
    await notes.status(note.deployment, {
      state: isPromoted ? "success" : "inactive",
      description: reason,
      environmentUrl: null,
    });
  return ended(note, null);
}
