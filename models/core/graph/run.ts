import { assignedArm } from "../assignment.ts";
import type { EvaluationError } from "../errors.ts";
import type { HeadResult } from "../postprocess/result.ts";
import type { Head } from "../postprocess/schema.ts";
import type { Note } from "../preprocess/compiled.ts";
import { RowError, type Row } from "../row.ts";
import type { FiredRule } from "../rules/reasons.ts";
import type { CompiledGraph } from "./compile.ts";
import type { Plan, StepPlan } from "./plan.ts";
import type { Answers } from "./scope.ts";
import { atStep } from "./step-error.ts";

type Heads = Readonly<Record<string, HeadResult>>;

/** What a step's model says to one row. */
export type StepResult =
  | { ok: true; heads: Heads; notes?: readonly Note[]; rules?: { fired: readonly FiredRule[] } }
  | { ok: false; error: EvaluationError };

export type GraphResult =
  | { ok: true; heads: Record<string, HeadResult>; notes: readonly Note[]; fired: readonly FiredRule[] }
  | { ok: false; error: EvaluationError };

/**
 * Runs rows through a graph: each step gets all rows that come to it at once, and each row takes its own way. A row
 * that a step cannot take fails with that step's error, and the others go on.
 *
 * @param salt part of a splitter's assignment: the composition's id
 * @param ask a step's model; `at` holds the index in `rows` of each of its rows
 * @throws EvaluationError that names the step whose model failed
 */
export async function runGraph(
  { root, answer }: Pick<CompiledGraph, "root" | "answer">,
  salt: string,
  rows: readonly Row[],
  ask: (step: StepPlan, rows: readonly Row[], at: readonly number[]) => Promise<readonly StepResult[]>,
): Promise<GraphResult[]> {
  const answers: Answers[] = rows.map(() => ({}));
  const errors = new Array<EvaluationError | undefined>(rows.length);
  const notes = new Array<Note[] | undefined>(rows.length);
  const fired = new Array<FiredRule[] | undefined>(rows.length);
  const fail = (i: number, step: string, error: unknown, mapped?: (field: string) => boolean) => {
    if (!(error instanceof RowError)) throw error;
    errors[i] ??= atStep(step, error, mapped) as RowError;
  };
  const alive = (indices: readonly number[]) => indices.filter((i) => errors[i] === undefined);
  type Out = (Heads | undefined)[];

  const runStep = async (step: StepPlan, indices: readonly number[]): Promise<Out> => {
    const out: Out = new Array(rows.length);
    const mapped = (field: string) => step.inputs.some((input) => input.field === field);
    const at: number[] = [];
    const asked: Row[] = [];
    for (const i of indices) {
      try {
        asked.push(step.inputs.length === 0 ? rows[i]! : mappedRow(step, rows[i]!, answers[i]!));
        at.push(i);
      } catch (error) {
        fail(i, step.name, error);
      }
    }
    if (at.length === 0) return out;
    let results: readonly StepResult[];
    try {
      results = await ask(step, asked, at);
    } catch (error) {
      throw atStep(step.name, error);
    }
    for (let k = 0; k < at.length; k++) {
      const i = at[k]!;
      const result = results[k]!;
      if (result.ok) {
        out[i] = result.heads;
        if (result.notes !== undefined) (notes[i] ??= []).push(...result.notes);
        if (result.rules !== undefined) (fired[i] ??= []).push(...result.rules.fired);
      } else errors[i] ??= atStep(step.name, result.error, mapped) as EvaluationError;
    }
    return out;
  };

  /** Each row to one of the parts. */
  const route = async (
    plan: Plan,
    parts: readonly Plan[],
    indices: readonly number[],
    choose: (i: number) => number,
  ): Promise<Out> => {
    const groups: number[][] = parts.map(() => []);
    for (const i of indices) {
      try {
        const part = choose(i);
        if (part === -1)
          throw new RowError(plan.name, "no branch takes the row", "a row for one of the branches", null);
        groups[part]!.push(i);
      } catch (error) {
        fail(i, plan.name, error);
      }
    }
    const out: Out = new Array(rows.length);
    for (const [k, group] of groups.entries()) {
      if (group.length === 0) continue;
      const made = await run(parts[k]!, group);
      for (const i of group) out[i] = narrowed(made[i], parts[k]!.heads, plan.heads);
    }
    return out;
  };

  const runPlan = async (plan: Plan, indices: readonly number[]): Promise<Out> => {
    switch (plan.kind) {
      case "step":
        return runStep(plan, indices);
      case "earlier": {
        const out: Out = new Array(rows.length);
        for (const i of indices) out[i] = answers[i]![plan.of];
        return out;
      }
      case "sequence": {
        let out: Out = [];
        let left = indices;
        for (const step of plan.steps) {
          out = await run(step, left);
          left = alive(left);
        }
        return out;
      }
      case "switch":
        return route(plan, plan.branches, indices, (i) => plan.choose(rows[i]!, answers[i]!));
      case "splitter":
        return route(plan, plan.arms, indices, (i) => assignedArm(salt, plan.node, plan.key(rows[i]!), plan.shares));
      case "ensemble": {
        const outs = await Promise.all(plan.members.map((member) => run(member, indices)));
        const out: Out = new Array(rows.length);
        for (const i of alive(indices)) {
          try {
            out[i] = plan.combine(
              outs.map((made) => made[i]!),
              rows[i]!,
              answers[i]!,
            );
          } catch (error) {
            fail(i, plan.name, error);
          }
        }
        return out;
      }
    }
  };

  const run = async (plan: Plan, indices: readonly number[]): Promise<Out> => {
    const out = await runPlan(plan, indices);
    for (const i of indices) if (out[i] !== undefined && errors[i] === undefined) answers[i]![plan.name] = out[i];
    return out;
  };

  const out = await run(
    root,
    rows.map((_, i) => i),
  );
  return rows.map((_, i) => {
    const error = errors[i];
    if (error !== undefined) return { ok: false, error };
    const heads =
      answer === null
        ? { ...out[i] }
        : Object.fromEntries(
            Object.entries(answer).map(([name, { step, head }]) => [name, answers[i]![step]![head.name]!]),
          );
    return { ok: true, heads, notes: notes[i] ?? [], fired: fired[i] ?? [] };
  });
}

function mappedRow({ inputs }: StepPlan, row: Row, answers: Answers): Row {
  const mapped: Record<string, unknown> = { ...row };
  for (const { field, value } of inputs) mapped[field] = value.read(row, answers);
  return mapped;
}

function narrowed(heads: Heads | undefined, own: readonly Head[], wanted: readonly Head[]): Heads | undefined {
  if (heads === undefined || own.length === wanted.length) return heads;
  return Object.fromEntries(wanted.map(({ name }) => [name, heads[name]!]));
}
