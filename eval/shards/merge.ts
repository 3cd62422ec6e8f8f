import { basename } from "node:path";
import { isDeepStrictEqual } from "node:util";
import { worstOf } from "../judge/algebra.ts";
import { judgeRun } from "../judge/judge.ts";
import type { MetricsFile } from "../schema/metrics.ts";
import type { VerdictFile } from "../schema/verdict.ts";

export type Shard = { name: string; verdict: VerdictFile; metrics: MetricsFile | null };

/** What must have reported before there is a verdict. `refusal`: why nothing that was reported counts. */
export type Expectation = { shards: number; models: readonly string[]; refusal: string | null };

/**
 * One verdict from all shards. A shard or model that did not report makes it ERROR: silence is not success. Nothing of
 * refused shards is kept.
 *
 * @param now creation time of the merged file
 */
export function mergeShards(
  reported: readonly Shard[],
  expected: Expectation,
  now: Date,
): { verdict: VerdictFile; metrics: MetricsFile } {
  const shards = expected.refusal === null ? reported : [];
  const seen = shards.flatMap(({ verdict }) => verdict.models.map(({ model }) => model.id));
  // When two kinds of machines report the same model, a reader must be able to tell the two apart.
  const models = shards.flatMap(({ name, verdict }) =>
    verdict.models.map((one) =>
      seen.filter((id) => id === one.model.id).length > 1
        ? { ...one, notes: [`reported by ${name}`, ...one.notes] }
        : one,
    ),
  );
  const commits = new Set(shards.map(({ verdict }) => verdict.commit));
  const problems: string[] = [];
  if (expected.refusal !== null) problems.push(expected.refusal);
  else if (shards.length === 0) problems.push("no shard reported");
  if (expected.shards > 0 && shards.length !== expected.shards)
    problems.push(`${shards.length} of ${expected.shards} shards reported`);
  const missing = expected.models.filter(
    (name) => !models.some(({ model }) => model.id === name || model.id === basename(name)),
  );
  if (missing.length > 0) problems.push(`no verdict for ${missing.join(", ")}`);
  if (commits.size > 1) problems.push("the shards evaluated different commits");
  for (const { name, verdict } of shards) if (verdict.models.length === 0) problems.push(`${name}: ${verdict.reason}`);

  // A shard's own verdict counts too: it may be worse than its models' verdicts, never better.
  const word =
    problems.length > 0
      ? "ERROR"
      : worstOf([...shards.map(({ verdict }) => verdict.verdict), ...models.map((one) => one.verdict)]);
  const own = judgeRun(models);
  const worse = shards.find(({ verdict }) => verdict.verdict === word);
  const reason =
    problems.length > 0
      ? problems.join("; ")
      : word === own.verdict || worse === undefined
        ? own.reason
        : `${worse.name} ${word}: ${worse.verdict.reason}`;
  const states = shards.flatMap(({ verdict: { commitState } }) => (commitState === undefined ? [] : [commitState]));
  const commitState = states.find(({ dirty }) => dirty) ?? states[0];
  // Shards that were judged in different ways have no one command that makes them all again.
  const [reproduce, ...others] = shards.map((shard) => shard.verdict.reproduce);
  const version = shards[0]?.verdict.sluiceVersion ?? "unknown";
  const createdAt = now.toISOString();
  return {
    verdict: {
      schemaVersion: 1,
      verdict: word,
      reason,
      commit: shards[0]?.verdict.commit ?? null,
      ...(commitState === undefined ? {} : { commitState }),
      ...(reproduce !== undefined && others.every((one) => isDeepStrictEqual(one, reproduce)) ? { reproduce } : {}),
      sluiceVersion: version,
      createdAt,
      models,
    },
    metrics: {
      schemaVersion: 1,
      sluiceVersion: version,
      createdAt,
      models: shards.flatMap(({ metrics }) => metrics?.models ?? []),
    },
  };
}
