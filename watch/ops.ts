import { judgeRun } from "../eval/judge/judge.ts";
import type { OpsSettings } from "../eval/schema/ops.ts";
import type { RepositoryApi } from "../github/api.ts";
import { EvaluationError } from "../models/core/errors.ts";
import { sloOf, type SloSettings } from "../models/core/manifest/slo.ts";
import { sluiceVersion } from "../models/core/version.ts";
import type { ReadDeps } from "./live/read.ts";
import type { OpsFile, OpsModel } from "./schema/ops.ts";
import { costOf, whatIf, type Cost, type Hosting } from "../eval/stats/hosting-cost.ts";
import { readDeliveries } from "./records/deliveries.ts";
import { doraFigures } from "./ops/dora.ts";
import { deliveryChecks, judgeOps, wearChecks } from "./ops/judge.ts";
import { byDataset, releasedCandidates, type Judged } from "./records/judged-candidates.ts";
import { readUse, type LiveUse } from "./records/live-use.ts";
import { testSetWear } from "../eval/stats/test-set-wear.ts";

export type OpsRequest = {
  /** Ids. */
  models: readonly string[];
  slo: SloSettings | undefined;
  ops: OpsSettings | undefined;
  stage: string;
  days: number;
  /** Origins of a model's servers; none: no traffic is known, and nothing is reckoned with it. */
  originsOf: (model: string) => readonly string[];
  /** Candidates that verdict files name, beside the released ones. */
  judged: readonly Judged[];
};

/** `github`: null where it cannot be asked; then what it records is missing, and a note says so. */
export type OpsDeps = ReadDeps & { github: RepositoryApi | null; now: () => Date };

const DAY_MS = 86_400_000;

/**
 * What delivery, traffic and test sets of models cost and kept in a period.
 *
 * @throws what GitHub's client throws; a server that does not answer is a note
 */
export async function runOps(request: OpsRequest, deps: OpsDeps): Promise<OpsFile> {
  const to = deps.now();
  const from = new Date(to.getTime() - request.days * DAY_MS);
  const models: OpsModel[] = [];
  for (const model of request.models) models.push(await opsOf(model, request, deps, from, to));
  // A model that was not deployed in the period has nothing to keep, and hides nothing of the others.
  const withDeciding = models.filter(({ checks }) => checks.some(({ advisory }) => !advisory));
  return {
    schemaVersion: 1,
    kind: "ops",
    ...judgeRun(withDeciding.length > 0 ? withDeciding : models),
    sluiceVersion,
    createdAt: to.toISOString(),
    period: { from: from.toISOString(), to: to.toISOString() },
    currency: request.ops?.currency ?? "USD",
    models,
  };
}

async function opsOf(model: string, request: OpsRequest, deps: OpsDeps, from: Date, to: Date): Promise<OpsModel> {
  const { slo, ops } = request;
  const notes: string[] = [];
  const delivery = await deliveryOf(model, request.stage, deps.github, from, to, notes);
  const released = deps.github === null ? [] : await releasedCandidates(deps.github, model);
  const limit = ops?.testSetOptimism ?? null;
  const wear = byDataset([...released, ...request.judged.filter((one) => one.model === model)]).map(
    ({ id, digest, rows, candidates }) => ({ dataset: id, digest, ...testSetWear(candidates, rows, limit) }),
  );
  const use = await useOf(model, request.originsOf(model), to, deps, notes);
  const checks = [
    ...(delivery === null ? [] : deliveryChecks(delivery, sloOf(slo, model))),
    ...wearChecks(wear, limit),
  ];
  return {
    model: { id: model },
    ...judgeOps(checks),
    checks,
    delivery,
    use: use === null ? null : described(use),
    costs: use === null ? [] : costs(ops?.models[model] ?? ops?.hostings ?? [], use, notes),
    wear,
    notes,
  };
}

async function deliveryOf(
  model: string,
  stage: string,
  github: RepositoryApi | null,
  from: Date,
  to: Date,
  notes: string[],
): Promise<OpsModel["delivery"]> {
  if (github === null) {
    notes.push("GitHub was not asked: deployments and released versions are unknown. Set GITHUB_TOKEN.");
    return null;
  }
  const read = await readDeliveries(github, model, stage, from.getTime());
  notes.push(...read.notes);
  // The end is not part of the period, and what succeeded this moment is.
  const figures = doraFigures(read, from.getTime(), to.getTime() + 1);
  return { environment: read.environment, unproved: read.unproved, ...figures };
}

async function useOf(
  model: string,
  origins: readonly string[],
  now: Date,
  deps: OpsDeps,
  notes: string[],
): Promise<LiveUse | null> {
  if (origins.length === 0) return null;
  try {
    return await readUse(origins, model, now, deps);
  } catch (error) {
    if (!(error instanceof EvaluationError)) throw error;
    notes.push(`No traffic is known: ${error.message}`);
    return null;
  }
}

function described({ answersByHour, ...rest }: LiveUse): NonNullable<OpsModel["use"]> {
  return { ...rest, answers: answersByHour.reduce((sum, one) => sum + one, 0), hours: answersByHour.length };
}

/** The first hosting is what runs now: what its server measured is its throughput, unless it has one of its own. */
function costs(hostings: OpsSettings["hostings"], use: LiveUse, notes: string[]): Cost[] {
  const [now, ...others] = hostings.map((one, i): Hosting => ({
    name: one.name,
    pricePerHour: one.pricePerHour,
    throughputPerSecond: one.throughputPerSecond ?? (i === 0 ? use.throughputPerSecond : null),
    sleepsAfterHours: one.sleepsAfterHours ?? null,
    interruptedShare: one.interruptedShare ?? 0,
  }));
  if (now === undefined) {
    notes.push("No prices are known: name them under ops.hostings in sluice.yaml.");
    return [];
  }
  return [costOf(now, use.answersByHour), ...whatIf(others, use.answersByHour)];
}
