import { randomBytes } from "node:crypto";
import type { Logger } from "pino";
import { z } from "zod";
import { digestOf, type RolloutPlan } from "../../../models/core/rollout/plan.ts";
import { stepName } from "../../../models/core/rollout/settings.ts";
import type { RolloutCommand, RolloutDecision, RolloutStatus } from "../../../models/core/rollout/status.ts";
import type { Row } from "../../../models/core/row.ts";
import { decideCanary } from "../../../eval/stats/sequential/canary-decision.ts";
import type { RowOutcome, ServedModel } from "../serving/served-model.ts";
import { createEvidence, type Observed } from "./evidence.ts";
import { describeEvidence, phasesSchema, type Phase } from "./phases.ts";
import { createShadowQueue } from "./shadow-queue.ts";
import { createUnits, mismatchLimit, unitOf, type Arm, type Caller } from "./units.ts";

const DAY_MS = 86_400_000;
/** How often what needs no request is looked at: time limits, and events whose time is over. */
const LOOK_MS = 1000;

/** Why the candidate is not there. `isCandidates`: it is the candidate's own fault. */
export class NotLoaded extends Error {
  readonly isCandidates: boolean;
  constructor(message: string, isCandidates: boolean) {
    super(message);
    this.isCandidates = isCandidates;
  }
}

export type RolloutDeps = {
  now: () => number;
  random: () => number;
  log: Pick<Logger, "info" | "warn">;
  /** Opens the candidate. @throws NotLoaded */
  load: () => Promise<ServedModel>;
  /** The live version, once it is there. */
  live: () => ServedModel | null;
  /** Rows whose true labels may still come. */
  capacity: number;
  shadowTimeoutMs: number;
};

/** The part of one request in a roll-out. */
export type Turn = {
  /** The version that answers. */
  model: ServedModel;
  arm: Arm;
  /** The live version, which answers where the candidate cannot. */
  fallback: ServedModel | null;
  /** The first row's outcome. `ms`: null where it says nothing of one row. */
  answered(row: Row, outcome: RowOutcome, ms: number | null, predictionId: string | null): void;
  /** It got no answer, and that is the version's own fault. */
  failed(): void;
};

const handedBack = z.object({
  schemaVersion: z.literal(1),
  rollout: z.string(),
  step: z.int().min(0),
  startedAt: z.iso.datetime(),
  stepAt: z.iso.datetime(),
  rows: z.object({ step: z.int().nonnegative(), total: z.int().nonnegative() }),
  phases: phasesSchema,
});

/** What was wrong with a command: the HTTP status, a code and words. */
export type Refusal = {
  status: 404 | 409 | 422;
  code: "other-rollout" | "rollout-ended" | "candidate-not-ready" | "no-such-step" | "other-step" | "other-state";
  problem: string;
};

/**
 * A candidate beside the live version of one model. A controller begins every step; this side can only end the roll-out,
 * and does so with the observation that proves it. Until a controller has begun, after a restart too, the live version
 * answers everything.
 */
export function createRollout(plan: RolloutPlan, deps: RolloutDeps) {
  const { now, log, live } = deps;
  const { settings, model: id } = plan;
  const { steps, metrics, alpha, minimum, cap } = settings;
  const instance = randomBytes(6).toString("hex");
  const phasesUsed = new Set(steps.map(({ share }) => (share === 0 ? "shadow" : "canary")));
  const abortAlpha = alpha / phasesUsed.size;
  const units = createUnits(plan.id, deps.random);
  const evidence = createEvidence(metrics, alpha, deps.capacity, now);
  const isBusy = () => {
    const load = live()?.load();
    return load !== undefined && load.queuedRows > 0;
  };
  const shadow = createShadowQueue(isBusy, now);
  const latest: number[] = [];
  const rows = { baseline: 0, candidate: 0, total: 0 };
  let candidate: ServedModel | null = null;
  let state: RolloutStatus["candidate"]["state"] = "loading";
  let stateReason: string | null = null;
  let step = -1;
  let startedAt: number | null = null;
  let stepAt: number | null = null;
  let ended: (RolloutDecision & { at: number }) | null = null;
  let restored: { at: string; differences: number } | null = null;
  let looking: NodeJS.Timeout | null = null;

  const share = (): number => (step < 0 ? 0 : steps[step]!.share);
  const phase = (): Phase => (share() === 0 ? "shadow" : "canary");

  const end = (decision: RolloutDecision) => {
    if (ended !== null) return;
    ended = { ...decision, at: now() };
    log.warn({ model: id, rollout: plan.id, decision, rows }, "roll-out ended; the live version answers everything");
    shadow.clear();
    if (looking !== null) clearInterval(looking);
    if (state === "ready") {
      state = "closed";
      const closing = candidate!;
      candidate = null;
      void closing.close().catch(() => {});
    }
  };

  const decide = (): RolloutDecision => {
    if (ended !== null) {
      const { at: _at, ...decision } = ended;
      return decision;
    }
    const open = (action: RolloutDecision["action"], reason: string, metric: string | null = null) => ({
      action,
      verdict: "INCONCLUSIVE" as const,
      metric,
      reason,
    });
    if (step < 0) return open("WAIT", "no controller has begun; the live version answers everything");
    if (units.mismatch(share()) >= mismatchLimit)
      return {
        action: "ABORT",
        verdict: "FAIL",
        metric: "sample-ratio",
        reason: `the answers do not follow the shares: ${units.tally.candidate} units of the candidate, ${units.tally.baseline} of the live version, at ${stepName(share())}`,
      };
    const isLast = step === steps.length - 1;
    const isWorn = now() - startedAt! > cap.days * DAY_MS || rows.total >= cap.rows;
    const found = decideCanary(evidence.of(phase()), { alpha, abortAlpha, ended: isWorn, leastNew: 0 });
    if (found.action === "ABORT") return { ...found, action: "ABORT", verdict: "FAIL" };
    const proved = found.action === "PROMOTE";
    if (isWorn && !(isLast && proved))
      return found.action === "KEEP_BASELINE"
        ? { ...found, action: "KEEP_BASELINE" }
        : open("KEEP_BASELINE", "the steps are not over and what was allowed is used up: the live version stays");
    const windowMs = minimum.minutes * 60_000;
    const oldest = latest.length < minimum.recent ? stepAt! : latest[0]!;
    if (minimum.recent > 0 && now() - oldest > windowMs)
      return open("PAUSE", `fewer than ${minimum.recent} rows of the candidate in ${minimum.minutes} minutes`);
    if (rows.candidate < minimum.rows)
      return open("CONTINUE", `${rows.candidate} of ${minimum.rows} rows that the step has to see`, found.metric);
    if (isLast && proved) return { action: "PROMOTE", verdict: "PASS", metric: null, reason: found.reason };
    if (!isLast && (proved || phase() === "canary"))
      return open(
        "NEXT",
        proved ? found.reason : `nothing speaks against it after ${rows.candidate} rows of the candidate`,
      );
    return open("CONTINUE", found.reason, found.metric);
  };

  /** Ends the roll-out where that is proved. */
  const settle = () => {
    const decision = decide();
    if (decision.action === "ABORT" || decision.action === "KEEP_BASELINE") end(decision);
  };

  const countCandidate = () => {
    rows.candidate++;
    rows.total++;
    latest.push(now());
    if (latest.length > minimum.recent) latest.shift();
  };

  const observedOf = (outcome: RowOutcome, ms: number | null): Observed => ({
    heads: outcome.ok ? outcome.heads : null,
    ms,
  });

  const compare = (row: Row, baseline: Observed, predictionId: string | null) => {
    const model = candidate;
    const begun = step;
    if (model === null) return;
    shadow.add(async () => {
      if (step !== begun || candidate === null) return;
      let observed: Observed;
      try {
        const { outcome, timing } = await model.predict(row, { deadlineAt: performance.now() + deps.shadowTimeoutMs });
        observed = observedOf(outcome, timing.inferenceMs);
      } catch {
        observed = { heads: null, ms: null };
      }
      if (step !== begun || ended !== null) return;
      countCandidate();
      evidence.pair(baseline, observed, predictionId);
      settle();
    });
  };

  /** Whether a row that got no answer is one that no version could answer. */
  const isRowsFault = (outcome: RowOutcome) => !outcome.ok && outcome.refused;

  return {
    id: plan.id,
    model: id,
    candidate: () => candidate,
    /** Opens the candidate, off the path of requests. What cannot be opened ends the roll-out, with words. */
    async load(): Promise<void> {
      const baseline = live();
      try {
        if (baseline === null || baseline.id !== id || baseline.version !== plan.baseline.version)
          throw new NotLoaded(
            `the roll-out is beside ${id} ${plan.baseline.version}, and ${baseline === null ? "no model" : `${baseline.id} ${baseline.version}`} serves here`,
            false,
          );
        const opened = await deps.load();
        if (ended !== null) {
          await opened.close();
          return;
        }
        candidate = opened;
        state = "ready";
        log.info({ model: id, rollout: plan.id, version: opened.version }, "candidate ready");
        looking = setInterval(() => {
          evidence.ripen();
          settle();
        }, LOOK_MS);
        looking.unref();
      } catch (error) {
        state = "refused";
        stateReason = error instanceof Error ? error.message.split("\n", 1)[0]! : String(error);
        const isCandidates = error instanceof NotLoaded && error.isCandidates;
        end({
          action: isCandidates ? "ABORT" : "KEEP_BASELINE",
          verdict: isCandidates ? "FAIL" : "INCONCLUSIVE",
          metric: null,
          reason: `the candidate was not loaded: ${stateReason}`,
        });
      }
    },
    /**
     * The part of a request; null where there is nothing to decide or to compare.
     *
     * @param asked a version that the request names; such an answer is not counted
     */
    turn(model: ServedModel, caller: Caller, body: unknown, asked: Arm | null): Turn | null {
      if (model.id !== id || candidate === null || ended !== null) return null;
      if (asked !== null) return quietTurn(asked === "candidate" ? candidate : model, asked);
      if (step < 0) return null;
      const begun = step;
      const first = firstRow(body);
      const unit = units.place(unitOf(settings.key, caller, first));
      const arm: Arm = unit.place < share() ? "candidate" : "baseline";
      let settled = false;
      const observe = (observed: Observed, row: Row | null, predictionId: string | null) => {
        if (settled) return;
        settled = true;
        if (step !== begun || ended !== null) return;
        if (arm === "candidate") countCandidate();
        else rows.baseline++;
        const isEvidence = units.count(arm, unit);
        if (!isEvidence) return;
        if (phase() === "canary") {
          evidence.row(arm, observed, predictionId);
          settle();
        } else if (row !== null) compare(row, observed, predictionId);
      };
      return {
        arm,
        model: arm === "candidate" ? candidate : model,
        fallback: arm === "candidate" ? model : null,
        answered(row, outcome, ms, predictionId) {
          // What a version refuses to read is the row's fault, unless the other one reads it: then `failed` counts it.
          if (isRowsFault(outcome)) return;
          observe(observedOf(outcome, ms), row, predictionId);
        },
        failed: () => observe({ heads: null, ms: null }, null, null),
      };
    },
    label(predictionId: string, head: string | null, label: string | number | boolean): void {
      if (ended !== null) return;
      evidence.label(predictionId, head, label);
      settle();
    },
    event(predictionId: string, name: string, value: number): void {
      if (ended === null) evidence.event(predictionId, name, value);
    },
    isControl: (key: string): boolean => digestOf(key) === plan.controlSha256,
    /** @returns null where it was done */
    command(command: RolloutCommand): Refusal | null {
      if (command.rollout !== plan.id)
        return { status: 409, code: "other-rollout", problem: `this server holds the roll-out ${plan.id}` };
      if (ended !== null)
        return { status: 409, code: "rollout-ended", problem: `the roll-out has ended: ${ended.reason}` };
      if ("end" in command) {
        const { end: action, verdict, reason } = command;
        end({ action, verdict, metric: null, reason });
        return null;
      }
      if (state !== "ready") return { status: 409, code: "candidate-not-ready", problem: `the candidate is ${state}` };
      if (command.step >= steps.length)
        return { status: 422, code: "no-such-step", problem: `there are ${steps.length} steps, counted from 0` };
      if (command.from !== step)
        return { status: 409, code: "other-step", problem: `the roll-out is at step ${step}, not ${command.from}` };
      if (command.state !== undefined && command.state !== null) {
        const given = handedBack.safeParse(command.state);
        if (!given.success || given.data.rollout !== plan.id || !evidence.restore(given.data.phases))
          return { status: 422, code: "other-state", problem: "the state is not one of this roll-out" };
        startedAt = Date.parse(given.data.startedAt);
        // Time and rows of the step go on only where it is the same one.
        const isSame = given.data.step === command.step;
        rows.total = given.data.rows.total;
        rows.candidate = isSame ? given.data.rows.step : 0;
        stepAt = isSame ? Date.parse(given.data.stepAt) : now();
        restored = {
          at: new Date(now()).toISOString(),
          differences: evidence.differences("shadow") + evidence.differences("canary"),
        };
      } else {
        startedAt ??= now();
        stepAt = now();
        rows.candidate = 0;
      }
      rows.baseline = 0;
      step = command.step;
      // A pause is told by rows that come, so it is not told in the first minutes of a step or of a process.
      latest.splice(0, Infinity, ...Array.from({ length: minimum.recent }, () => now()));
      units.nextStep();
      evidence.share(share());
      log.info({ model: id, rollout: plan.id, step: stepName(share()), restored }, "roll-out step");
      return null;
    },
    /** @param whole with the state that a controller hands back after a restart */
    status(whole: boolean): RolloutStatus {
      evidence.ripen();
      settle();
      const isoOf = (at: number | null) => (at === null ? null : new Date(at).toISOString());
      return {
        schemaVersion: 1,
        rollout: plan.id,
        model: id,
        instance,
        baseline: { version: plan.baseline.version },
        candidate: { version: plan.candidate.version, state, reason: stateReason },
        steps: steps.map(({ share: of, approve }) => ({ name: stepName(of), share: of, approve })),
        step,
        startedAt: isoOf(startedAt),
        stepAt: isoOf(stepAt),
        decision: decide(),
        evidence: [...phasesUsed].flatMap((one) => {
          const all = evidence.of(one as Phase);
          return all.map((metric) => describeEvidence(one as Phase, metric, alpha, abortAlpha / all.length));
        }),
        rows: { baseline: rows.baseline, candidate: rows.candidate, candidateTotal: rows.total },
        units: { ...units.tally, log10Mismatch: Number(units.mismatch(share()).toPrecision(6)) },
        shadow: shadow.tally(),
        handedBack: restored,
        ...(whole && startedAt !== null
          ? {
              state: {
                schemaVersion: 1,
                rollout: plan.id,
                step,
                startedAt: isoOf(startedAt),
                stepAt: isoOf(stepAt),
                rows: { step: rows.candidate, total: rows.total },
                phases: evidence.state(),
              } satisfies Record<keyof z.output<typeof handedBack>, unknown>,
            }
          : {}),
      };
    },
    async close(): Promise<void> {
      if (looking !== null) clearInterval(looking);
      shadow.clear();
      const closing = candidate;
      candidate = null;
      await closing?.close();
    },
  };
}

export type Rollout = ReturnType<typeof createRollout>;

/** An answer that was asked for by name. */
const quietTurn = (model: ServedModel, arm: Arm): Turn => ({
  model,
  arm,
  fallback: null,
  answered: () => {},
  failed: () => {},
});

/** The first row of a request of one or many. */
function firstRow(body: unknown): unknown {
  const many = Array.isArray(body) ? body : (body as { rows?: unknown } | null)?.rows;
  return Array.isArray(many) ? (many as unknown[])[0] : body;
}
