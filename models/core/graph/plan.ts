import type { HeadResult } from "../postprocess/result.ts";
import type { Head } from "../postprocess/schema.ts";
import type { Row } from "../row.ts";
import type { Answers, Value } from "./scope.ts";

type Base = {
  /** The step's name; `root` for the root. */
  name: string;
  /** The heads that it answers. */
  heads: readonly Head[];
};
export type StepPlan = Base & {
  kind: "step";
  model: string;
  /** Fields of the model that are not taken from the row as they are. */
  inputs: readonly { field: string; value: Value }[];
};
/** What an earlier step has answered. */
type EarlierPlan = Base & { kind: "earlier"; of: string };
type NodePlan = Base & { node: string };

/** A graph that has been checked and can be run: a tree whose leaves are models. */
export type Plan =
  | StepPlan
  | EarlierPlan
  | (NodePlan & { kind: "sequence"; steps: readonly Plan[] })
  | (NodePlan & {
      kind: "switch";
      branches: readonly Plan[];
      /**
       * @returns index of the branch; -1 where none takes the row
       * @throws RowError where a condition has no value
       */
      choose: (row: Row, answers: Answers) => number;
    })
  | (NodePlan & {
      kind: "ensemble";
      members: readonly Plan[];
      /** @param results of each member: head → result */
      combine: (
        results: readonly Readonly<Record<string, HeadResult>>[],
        row: Row,
        answers: Answers,
      ) => Record<string, HeadResult>;
    })
  | (NodePlan & { kind: "splitter"; arms: readonly Plan[]; key: (row: Row) => string; shares: readonly number[] });

/** The steps below a plan that models answer, in the order of the file. */
export function stepsOf(plan: Plan): StepPlan[] {
  if (plan.kind === "step") return [plan];
  return plan.kind === "earlier" ? [] : partsOfNode(plan).flatMap(stepsOf);
}

export function partsOfNode(plan: Exclude<Plan, StepPlan | EarlierPlan>): readonly Plan[] {
  switch (plan.kind) {
    case "sequence":
      return plan.steps;
    case "switch":
      return plan.branches;
    case "ensemble":
      return plan.members;
    case "splitter":
      return plan.arms;
  }
}
