import type { HeadResult } from "../../../models/core/postprocess/result.ts";

type Heads = Readonly<Record<string, HeadResult>>;

/** What is kept of an answer until its true label comes: a label or a number by head, nothing of the input. */
export type KeptAnswer = Readonly<Record<string, string | number>>;

export function keptAnswer(heads: Heads): KeptAnswer {
  const kept: Record<string, string | number> = {};
  for (const [name, result] of Object.entries(heads)) {
    if (result.kind === "classification") kept[name] = result.label;
    else if (result.kind === "regression") kept[name] = result.value;
  }
  return kept;
}

/**
 * 1 for a right answer, 0 for a wrong one.
 *
 * @param head null where the model has one head that takes labels
 * @param within how far off a number may be
 * @returns null where the answer has no such head
 */
export function labelValue(
  answer: KeptAnswer,
  head: string | null,
  label: string | number | boolean,
  within: number | null,
): 0 | 1 | null {
  const given = head === null ? Object.values(answer)[0] : answer[head];
  if (given === undefined) return null;
  if (typeof given === "string") return given === String(label) ? 1 : 0;
  return within === null || typeof label !== "number" ? null : Math.abs(given - label) <= within ? 1 : 0;
}

/**
 * How far two answers to one row agree, in [0, 1]: the mean over the heads. Labels and texts agree or do not; numbers,
 * and the steps of a series, where they differ by no more than the tolerance, relative to the first answer; rankings and
 * spans by the share that both have.
 */
export function agreementOf(baseline: Heads, candidate: Heads, tolerance: number): number {
  const names = Object.keys(baseline);
  if (names.length === 0) return 1;
  return (
    names.reduce((sum, name) => sum + headAgreement(baseline[name]!, candidate[name], tolerance), 0) / names.length
  );
}

function headAgreement(a: HeadResult, b: HeadResult | undefined, tolerance: number): number {
  const near = (x: number, y: number | undefined): boolean =>
    y !== undefined && Math.abs(x - y) <= tolerance * Math.abs(x) + 1e-9;
  switch (a.kind) {
    case "classification":
      return b?.kind === a.kind && b.label === a.label ? 1 : 0;
    case "regression":
      return b?.kind === a.kind && near(a.value, b.value) ? 1 : 0;
    case "series":
      if (b?.kind !== a.kind || a.values.length === 0) return b?.kind === a.kind ? 1 : 0;
      return a.values.filter((value, i) => near(value, b.values[i])).length / a.values.length;
    case "ranking":
      return b?.kind === a.kind
        ? shared(
            a.items.map(({ id }) => id),
            b.items.map(({ id }) => id),
          )
        : 0;
    case "spans": {
      const places = (of: typeof a) => of.spans.map(({ start, end, type }) => `${start}:${end}:${type}`);
      return b?.kind === a.kind ? shared(places(a), places(b)) : 0;
    }
    case "text":
      return b?.kind === a.kind && b.text === a.text ? 1 : 0;
  }
}

/** Jaccard: what both have, of what either has; 1 where neither has anything. */
function shared(a: readonly string[], b: readonly string[]): number {
  const either = new Set([...a, ...b]);
  if (either.size === 0) return 1;
  const second = new Set(b);
  return new Set(a.filter((one) => second.has(one))).size / either.size;
}
