import type { RulesIdentity } from "../../models/core/rules/identity.ts";
import type { Rules } from "../../models/core/rules/schema.ts";
import { metricsFor } from "../metrics/catalog.ts";
import { measurerOf } from "../metrics/measure.ts";
import { predictedClasses, thresholdOf } from "../metrics/sample.ts";
import type { Predictions } from "../predictions/predictions.ts";
import type { RuledRow } from "../predict/ruled-row.ts";
import type { RulesEffect } from "../schema/verdict.ts";

/** What a model with rules answered, and the rows for which they fired. */
export type RuledRun = { predictions: ReadonlyMap<string, Predictions>; ruled: readonly RuledRow[] };

/** The model's answers without its rules. */
function withoutRules(predictions: Predictions, ruled: readonly RuledRow[]): Predictions {
  const { head, ids, scores } = predictions;
  const width = ids.length === 0 ? 1 : scores.length / ids.length;
  const at = new Map(ids.map((id, i) => [id, i]));
  const own = scores.slice();
  for (const { row, own: answers } of ruled) {
    const place = at.get(row);
    if (place !== undefined) own.set(answers[head] ?? [], place * width);
  }
  return { ...predictions, scores: own };
}

/**
 * What the rules beside a model change: for how many rows each fires, which answers they turn right and wrong, and every
 * metric with them and without, with the interval of the paired difference.
 *
 * An answer is gained where a wrong label becomes right, or a value comes nearer to the true one; lost, the other way
 * round. A row counts for each rule that fired for it, whichever of them moved the answer.
 */
export function rulesEffect(
  { list }: Pick<Rules, "list">,
  identity: RulesIdentity,
  { predictions, ruled }: RuledRun,
  options: { level: number; seed: number; unitOf: (head: string) => string },
): RulesEffect {
  const heads = [...predictions.values()].map((after) => {
    const before = withoutRules(after, ruled);
    return { after, before, ...turned(before, after, ruled) };
  });
  const rows = heads[0]?.after.ids.length ?? 0;
  const present = new Set(heads[0]?.after.ids);
  const counted = ruled.filter(({ row }) => present.has(row));
  return {
    ...identity,
    rows,
    firedRows: counted.length,
    gained: sum(heads.map(({ gained }) => gained.size)),
    lost: sum(heads.map(({ lost }) => lost.size)),
    list: list.map(({ id }) => {
      const own = counted.filter(({ fired }) => fired.includes(id));
      const among = (ids: ReadonlySet<string>) => own.filter(({ row }) => ids.has(row)).length;
      return {
        id,
        fired: own.length,
        gained: sum(heads.map(({ gained }) => among(gained))),
        lost: sum(heads.map(({ lost }) => among(lost))),
      };
    }),
    figures: heads.flatMap(({ before, after }) => figuresOf(before, after, options)),
  };
}

/** Rows whose answer of a head the rules turn right or wrong. */
function turned(before: Predictions, after: Predictions, ruled: readonly RuledRow[]) {
  const gained = new Set<string>();
  const lost = new Set<string>();
  const [first, second] = [errors(before), errors(after)];
  const at = new Map(after.ids.map((id, i) => [id, i]));
  for (const { row } of ruled) {
    const place = at.get(row);
    if (place === undefined) continue;
    if (second[place]! < first[place]!) gained.add(row);
    else if (second[place]! > first[place]!) lost.add(row);
  }
  return { gained, lost };
}

/** Per row: 1 for a wrong class and 0 for the right one, or the distance from the true value. */
function errors(predictions: Predictions): Float64Array {
  const { labels, scores, classes } = predictions;
  if (classes.length === 0) return labels.map((label, i) => Math.abs(scores[i]! - label));
  const sample = { labels, scores, classCount: classes.length, weights: null, groups: null };
  const predicted = predictedClasses(sample, thresholdOf(predictions, {}));
  return labels.map((label, i) => (label === predicted[i] ? 0 : 1));
}

function figuresOf(
  before: Predictions,
  after: Predictions,
  { level, seed, unitOf }: { level: number; seed: number; unitOf: (head: string) => string },
): RulesEffect["figures"] {
  const [without, withRules] = [measurerOf(before, seed), measurerOf(after, seed)];
  const [one, other] = [withRules.sample("all"), without.sample("all")];
  if (one === null || other === null) return [];
  return metricsFor(after.task).flatMap((definition): RulesEffect["figures"] => {
    if (definition.listed?.(one) === false) return [];
    const [first, second] = [without, withRules].map((measurer) => {
      const result = measurer.figure(definition, "all", {}, null);
      return result.status === "ok" ? result.value : null;
    }) as [number | null, number | null];
    if (first === null && second === null) return [];
    const contrast =
      first === null || second === null || first === second
        ? null
        : definition.contrast(one, other, { level, seed, scale: "absolute" });
    return [
      {
        head: after.head,
        metric: definition.name,
        unit: definition.unit === "label" ? unitOf(after.head) : definition.unit,
        direction: definition.direction,
        without: first,
        withRules: second,
        interval: contrast?.status === "ok" ? contrast.interval : null,
      },
    ];
  });
}

/** What a reader should know of rules that no figure shows. */
export function ruleNotes(effect: RulesEffect, baseline: RulesIdentity | null): string[] {
  const { list, rows } = effect;
  const named = (wanted: RulesEffect["list"]) => wanted.map(({ id }) => id).join(", ");
  const dead = list.filter(({ fired }) => fired === 0);
  const always = list.filter(({ fired }) => fired === rows && rows > 0);
  const fire = (some: RulesEffect["list"]) => (some.length === 1 ? "The rule" : "The rules");
  return [
    ...(dead.length === 0
      ? []
      : [
          `${fire(dead)} ${named(dead)} never fired on these ${rows} rows, so nothing here says what ${dead.length === 1 ? "it does" : "they do"}.`,
        ]),
    ...(always.length === 0
      ? []
      : [
          `${fire(always)} ${named(always)} fired for every one of these ${rows} rows: a condition that is always true decides nothing.`,
        ]),
    ...(baseline !== null && baseline.version === effect.version && baseline.sha256 !== effect.sha256
      ? [
          `The rules changed and are still called ${effect.version}: raise rules.version, so that answers can be told apart.`,
        ]
      : []),
  ];
}

const sum = (numbers: readonly number[]) => numbers.reduce((total, one) => total + one, 0);
