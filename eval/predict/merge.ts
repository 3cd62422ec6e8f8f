import { EvaluationError } from "../../models/core/errors.ts";
import type { Dataset } from "../../models/core/manifest/manifest.ts";
import { assertBadRows, type BadRow } from "../dataset/bad-rows.ts";
import type { Predictions } from "../predictions/predictions.ts";
import { answersShape, joinAnswers, joinForecasts } from "./join.ts";
import type { RuledRow } from "./ruled-row.ts";
import type { ShardMachine, ShardResult } from "./shard-file.ts";

/** All of a model's predictions, merged. */
export type MergedShards = {
  datasetDigest: string;
  modelSha256: string;
  predictions: Predictions[];
  /** Rows that could not be read, then rows that the model could not take. */
  badRows: BadRow[];
  /** Rows for which rules fired. */
  ruled: RuledRow[];
  /** Row ranges in order, and the machine that predicted each. */
  parts: { from: number; to: number; machine: ShardMachine }[];
};

const shardName = ({ manifest }: ShardResult) => `${manifest.index}/${manifest.count}`;

function refuse(code: string, problem: string, expected?: string, received?: string): never {
  throw new EvaluationError({
    code,
    place: "shards",
    problem,
    ...(expected === undefined ? {} : { expected }),
    ...(received === undefined ? {} : { received }),
  });
}

/**
 * Merges the shards of one model on one dataset, in any order, into what one job would have predicted.
 *
 * @param dataset its limit for bad rows applies to all shards together
 * @throws EvaluationError `shards-differ` (dataset, model, count, heads), `shards-missing`, `shards-duplicate`,
 *   `shards-overlap`, `shards-gap`, `shards-incomplete`, each naming the shards; `too-many-bad-rows`, `no-rows`
 */
export function mergeShards(shards: readonly ShardResult[], dataset: Pick<Dataset, "id" | "maxBadRows">): MergedShards {
  const first = shards[0] ?? refuse("shards-missing", "there are no shards to merge", "at least one");
  assertAlike(shards, first);
  const sorted = assertComplete(shards, first.manifest.count);
  assertContiguous(sorted, first.manifest.rows);
  for (const shard of sorted) {
    const { from, to, refusedRows } = shard.manifest;
    for (const predictions of shard.predictions) {
      const held = rowsHeld(predictions, shard.manifest.expandedHeads.includes(predictions.head));
      if (held + refusedRows.length !== to - from)
        refuse(
          "shards-incomplete",
          `shard ${shardName(shard)} does not hold all of its rows for ${predictions.head}`,
          `${to - from} rows`,
          `${held} predicted and ${refusedRows.length} refused`,
        );
    }
  }
  const badRows = [...first.manifest.datasetBadRows, ...sorted.flatMap((shard) => shard.manifest.refusedRows)];
  assertBadRows(badRows, first.manifest.rows + first.manifest.datasetBadRows.length, dataset);
  const predictions = first.predictions.map((_, position) =>
    concatenate(sorted.map((shard) => ({ name: shardName(shard), part: shard.predictions[position]! }))),
  );
  if (predictions.some(({ ids }) => ids.length === 0)) refuse("no-rows", "the shards hold no predictions");
  return {
    datasetDigest: first.manifest.datasetDigest,
    modelSha256: first.manifest.modelSha256,
    predictions,
    badRows,
    ruled: sorted.flatMap(({ manifest }) => manifest.ruledRows ?? []),
    parts: sorted.map(({ manifest: { from, to, machine } }) => ({ from, to, machine })),
  };
}

/** Rows of the dataset that predictions are about. An id of an expanded head is the row's, a colon and the step. */
function rowsHeld({ ids }: Predictions, expanded: boolean): number {
  return expanded ? new Set(ids.map((id) => id.slice(0, id.lastIndexOf(":")))).size : ids.length;
}

function assertAlike(shards: readonly ShardResult[], first: ShardResult): void {
  const traits: [string, (shard: ShardResult) => string][] = [
    ["dataset digests", ({ manifest }) => manifest.datasetDigest],
    ["models", ({ manifest }) => manifest.modelSha256],
    ["shard counts", ({ manifest }) => String(manifest.count)],
    ["row counts", ({ manifest }) => String(manifest.rows)],
    ["bad rows", ({ manifest }) => JSON.stringify(manifest.datasetBadRows)],
    ["heads", ({ predictions }) => JSON.stringify(predictions.map(({ head, task, classes }) => [head, task, classes]))],
    ["heads with a row per step", ({ manifest }) => JSON.stringify(manifest.expandedHeads)],
  ];
  for (const [what, trait] of traits) {
    const other = shards.find((shard) => trait(shard) !== trait(first));
    if (other !== undefined)
      refuse(
        "shards-differ",
        `shards ${shardName(first)} and ${shardName(other)} have different ${what}`,
        trait(first).slice(0, 300),
        trait(other).slice(0, 300),
      );
  }
}

function assertComplete(shards: readonly ShardResult[], count: number): ShardResult[] {
  const sorted = shards.toSorted((a, b) => a.manifest.index - b.manifest.index);
  const present = new Set(sorted.map(({ manifest }) => manifest.index));
  const strange = sorted.find(({ manifest }) => manifest.index >= count);
  if (strange !== undefined)
    refuse("shards-differ", `there is no shard ${shardName(strange)}`, `indices 0 to ${count - 1}`);
  const twice = sorted.filter(({ manifest }, i) => sorted[i - 1]?.manifest.index === manifest.index).map(shardName);
  if (twice.length > 0) refuse("shards-duplicate", `shard ${[...new Set(twice)].join(", ")} is there more than once`);
  const missing = Array.from({ length: count }, (_, index) => index).filter((index) => !present.has(index));
  if (missing.length > 0)
    refuse(
      "shards-missing",
      `${missing.length} of ${count} shards are missing: ${missing
        .slice(0, 20)
        .map((index) => `${index}/${count}`)
        .join(", ")}${missing.length > 20 ? ", …" : ""}`,
    );
  return sorted;
}

function assertContiguous(sorted: readonly ShardResult[], rows: number): void {
  let reached = 0;
  let before = "the start";
  for (const shard of sorted) {
    const { from, to } = shard.manifest;
    const here = `shard ${shardName(shard)} (rows ${from} to ${to})`;
    if (from < reached || to < from) refuse("shards-overlap", `${here} overlaps ${before}`);
    if (from > reached)
      refuse("shards-gap", `rows ${reached} to ${from} are in no shard, between ${before} and ${here}`);
    reached = to;
    before = here;
  }
  if (reached !== rows) refuse("shards-gap", `rows ${reached} to ${rows} are in no shard, after ${before}`);
}

function concatenate(parts: readonly { name: string; part: Predictions }[]): Predictions {
  const shardOfId = new Map<string, string>();
  for (const { name, part } of parts) {
    for (const id of part.ids) {
      const earlier = shardOfId.get(id);
      if (earlier !== undefined)
        refuse("shards-overlap", `row ${JSON.stringify(id)} is in the shards ${earlier} and ${name}`);
      shardOfId.set(id, name);
    }
  }
  const filled = parts.filter(({ part }) => part.ids.length > 0).map(({ part }) => part);
  const model = filled[0] ?? parts[0]!.part;
  const columns = (part: Predictions) =>
    JSON.stringify([
      Object.keys(part.slices).toSorted(),
      part.groups === null,
      part.weights === null,
      part.entities === undefined,
      part.naiveScales === undefined,
      part.answers === undefined ? null : answersShape(part.answers),
      part.forecasts === undefined ? null : (part.forecasts.quantiles?.levels ?? []),
    ]);
  const strange = parts.find(({ part }) => part.ids.length > 0 && columns(part) !== columns(model));
  if (strange !== undefined)
    refuse(
      "shards-differ",
      `shard ${strange.name} has other columns (slices, group, entity, weight, scale, answers, quantiles)`,
      columns(model),
      columns(strange.part),
    );
  const numbers = (pick: (part: Predictions) => Float64Array) =>
    Float64Array.from(filled.flatMap((part) => Array.from(pick(part))));
  return {
    ...model,
    ids: filled.flatMap((part) => part.ids),
    labels: numbers((part) => part.labels),
    scores: numbers((part) => part.scores),
    slices: Object.fromEntries(
      Object.keys(model.slices).map((column) => [column, filled.flatMap((part) => part.slices[column]!)]),
    ),
    groups: model.groups === null ? null : filled.flatMap((part) => part.groups!),
    ...(model.entities === undefined ? {} : { entities: filled.flatMap((part) => part.entities!) }),
    weights: model.weights === null ? null : numbers((part) => part.weights!),
    ...(model.naiveScales === undefined ? {} : { naiveScales: numbers((part) => part.naiveScales!) }),
    ...(model.answers === undefined ? {} : { answers: joinAnswers(filled.map(({ answers }) => answers!)) }),
    ...(model.forecasts === undefined ? {} : { forecasts: joinForecasts(filled.map(({ forecasts }) => forecasts!)) }),
  };
}
