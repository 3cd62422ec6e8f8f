import { didYouMean } from "../did-you-mean.ts";
import { valuesIn } from "../expression/expression.ts";
import { fieldsOf, type Field } from "../manifest/rows.ts";
import type { Manifest } from "../manifest/manifest.ts";
import type { ClassificationHead, Head } from "../postprocess/schema.ts";
import { columnReader } from "../preprocess/tabular.ts";
import { fieldOf, RowError, type Row } from "../row.ts";
import { answerFromNumber, combinable, combiner, sameAnswers, type CombineRule } from "./combine.ts";
import { fits, typeWords } from "./fits.ts";
import { kindOf, stepName } from "./nodes.ts";
import type { Plan, StepPlan } from "./plan.ts";
import type { GraphManifest, GraphNode, GraphStep } from "./schema.ts";
import { compileValue, fieldEntry, withAnswer, type Answers, type Entry, type Scope, type Value } from "./scope.ts";
import type { GraphIssue } from "./structure.ts";

export type CompiledGraph = {
  root: Plan;
  /** Head of the composition → the step and its head that answer; null: root's own answer. */
  answer: Readonly<Record<string, { step: string; head: Head }>> | null;
  /** Fields that are taken from the row by some step or expression → whether every row needs them. */
  fields: ReadonlyMap<string, { field: Field; certain: boolean }>;
};

/**
 * Checks a graph against the models that it names, and compiles it: each step's fields and heads, the types of what is
 * handed from one to the next, the names that expressions use, branches that no row reaches, answers that cannot be
 * combined or stand for one another. Pure.
 *
 * @param models by id; all that the graph names
 * @returns the graph, or everything that is wrong with it, with paths of its model.yaml
 */
export function compileGraph(
  manifest: GraphManifest,
  models: ReadonlyMap<string, Manifest>,
): { graph: CompiledGraph } | { issues: GraphIssue[] } {
  const issues: GraphIssue[] = [];
  const fields = new Map<string, { field: Field; of: string }>();
  const scope = new Map<string, Entry>();
  const fieldsOfModel = new Map([...models].map(([id, model]) => [id, fieldsOf(model)] as const));
  for (const [name, field] of fieldsOf({ preprocess: { columns: columnsStep(manifest) } })) {
    fields.set(name, { field, of: "columns" });
    const column = manifest.columns[name]!;
    const { read } = columnReader(name, column, {}, () => "");
    scope.set(name, { type: field, read: (row) => read(row, {}) });
  }
  for (const [node, declared] of Object.entries(manifest.nodes)) {
    const { kind, steps } = kindOf<GraphStep>(declared)!;
    steps.forEach((step, i) => {
      for (const [name, field] of step.model === undefined ? [] : fieldsOfModel.get(step.model)!) {
        if (Object.hasOwn(step.inputs, name)) continue;
        const before = fields.get(name);
        if (before === undefined) {
          fields.set(name, { field, of: stepName(step) });
          scope.set(name, fieldEntry(name, field));
        } else if (!fits(before.field, field) && !fits(field, before.field))
          issues.push({
            path: ["nodes", node, kind, i],
            message: `${stepName(step)} reads the row's field ${name} as ${typeWords(field)}, and ${before.of} as ${typeWords(before.field)}`,
            right: { expected: `\`inputs\` with ${name}, so that the two read different fields` },
          });
      }
    });
  }
  const compiler = new Compiler(manifest, fieldsOfModel, models, fields, issues);
  const needed = new Set<string>();
  const root = compiler.node("root", "root", { values: scope, steps: new Map() }, needed);
  const answer = answersOf(manifest, root, issues);
  if (issues.length > 0 || root === null || answer === undefined) return { issues };
  const certain = new Map(
    [...fields].map(([name, { field }]) => [name, { field, certain: needed.has(name) }] as const),
  );
  return { graph: { root, answer, fields: certain } };
}

/** The composition's own columns as a step of preprocessing, which describes them to whoever checks rows. */
export function columnsStep({ columns }: Pick<GraphManifest, "columns">) {
  return { kind: "tabular" as const, columns, derive: {}, features: [] };
}

type Path = (string | number)[];

class Compiler {
  readonly #manifest: GraphManifest;
  readonly #fieldsOfModel: ReadonlyMap<string, ReadonlyMap<string, Field>>;
  readonly #models: ReadonlyMap<string, Manifest>;
  readonly #fields: ReadonlyMap<string, { field: Field; of: string }>;
  readonly #issues: GraphIssue[];

  constructor(
    manifest: GraphManifest,
    fieldsOfModel: ReadonlyMap<string, ReadonlyMap<string, Field>>,
    models: ReadonlyMap<string, Manifest>,
    fields: ReadonlyMap<string, { field: Field; of: string }>,
    issues: GraphIssue[],
  ) {
    this.#manifest = manifest;
    this.#fieldsOfModel = fieldsOfModel;
    this.#models = models;
    this.#fields = fields;
    this.#issues = issues;
  }

  /**
   * @param needs gets the fields that each row must have that comes here
   * @returns null where something is wrong with it
   */
  node(nodeName: string, name: string, scope: Scope, needs: Set<string>): Plan | null {
    const node = this.#manifest.nodes[nodeName] as GraphNode;
    const { kind, steps } = kindOf<GraphStep>(node)!;
    const path: Path = ["nodes", nodeName];
    const base = { name, node: nodeName };
    if (kind === "sequence") {
      let known = scope;
      const plans: (Plan | null)[] = [];
      steps.forEach((step, i) => {
        const plan = this.#step(step, [...path, kind, i], known, needs);
        plans.push(plan);
        if (plan !== null) known = withAnswer(known, plan.name, plan.heads);
      });
      const done = plans.filter((plan) => plan !== null);
      return done.length < plans.length ? null : { ...base, kind, steps: done, heads: done.at(-1)!.heads };
    }
    const choose = kind === "switch" ? this.#choice(node, path, scope, needs) : null;
    const key = kind === "splitter" ? this.#key(node, path, needs) : null;
    const own = steps.map(() => (kind === "ensemble" ? needs : new Set<string>()));
    const found = steps.map((step, i) => this.#step(step, [...path, kind, i], scope, own[i]!));
    for (const field of own[0]!) if (own.every((one) => one.has(field))) needs.add(field);
    const plans = found.filter((plan) => plan !== null);
    if (plans.length < found.length) return null;
    const heads = this.#common(plans, [...path, kind]);
    if (heads === null) return null;
    if (kind === "switch") return choose === null ? null : { ...base, kind, branches: plans, choose, heads };
    if (kind === "ensemble") return this.#ensemble(node, base, plans, heads, scope, path, needs);
    const total = steps.reduce((sum, step) => sum + step.weight!, 0);
    return key === null
      ? null
      : { ...base, kind, arms: plans, key, shares: steps.map((step) => step.weight! / total), heads };
  }

  #step(step: GraphStep, path: Path, scope: Scope, needs: Set<string>): Plan | null {
    const name = stepName(step);
    if (step.node !== undefined) return this.node(step.node, name, scope, needs);
    if (step.step !== undefined) {
      const heads = scope.steps.get(step.step);
      if (heads !== undefined) return { kind: "earlier", name, of: step.step, heads };
      const known = [...scope.steps.keys()];
      this.#issues.push({
        path: [...path, "step"],
        message: `no step ${step.step} has answered before; ${known.length === 0 ? "none has" : `there are: ${known.join(", ")}`}`,
        right: {
          expected: "an earlier step of the same way",
          ...(known.length === 0 ? {} : { example: didYouMean(step.step, known) ?? known.at(-1) }),
        },
      });
      return null;
    }
    const model = step.model!;
    const known = this.#fieldsOfModel.get(model)!;
    const inputs: { field: string; value: Value }[] = [];
    let wrong = false;
    for (const [field, expression] of Object.entries(step.inputs)) {
      const at = [...path, "inputs", field];
      const target = known.get(field);
      if (target === undefined) {
        const names = [...known.keys()];
        this.#issues.push({
          path: at,
          message: `${model} has no field "${field}"; it has: ${names.join(", ")}`,
          right: {
            expected: `one of ${names.join(", ")}`,
            example: expression,
            at: [...path, "inputs", didYouMean(field, names) ?? names[0] ?? field],
          },
        });
        wrong = true;
        continue;
      }
      const value = this.#value(expression, at, scope, needs);
      if (value === null) wrong = true;
      else if (value.type !== null && !fits(value.type, target)) {
        this.#issues.push({
          path: at,
          message: `\`${expression}\` is ${typeWords(value.type)}, and the field ${field} of ${model} takes ${typeWords(target)}`,
          right: { expected: typeWords(target) },
        });
        wrong = true;
      } else inputs.push({ field, value });
    }
    for (const field of known.keys()) if (!Object.hasOwn(step.inputs, field)) needs.add(field);
    const plan: StepPlan = { kind: "step", name, model, inputs, heads: this.#models.get(model)!.postprocess };
    return wrong ? null : plan;
  }

  #value(expression: string, path: Path, scope: Scope, needs: Set<string>): Value | null {
    const value = compileValue(path.slice(1).join("."), expression, scope);
    if ("problem" in value) {
      this.#issues.push({ path, message: value.problem });
      return null;
    }
    for (const name of valuesIn(expression)) if (this.#fields.has(name)) needs.add(name);
    return value;
  }

  #choice(node: GraphNode, path: Path, scope: Scope, needs: Set<string>) {
    const branches = node.switch!;
    if (node.on !== undefined) {
      const on = this.#value(node.on, [...path, "on"], scope, needs);
      if (on === null) return null;
      if (on.type !== null && on.type.type !== "text") {
        this.#issues.push({ path: [...path, "on"], message: `\`${node.on}\` is ${typeWords(on.type)} and no label` });
        return null;
      }
      const labels = on.type?.type === "text" ? on.type.known : undefined;
      branches.forEach(({ label }, i) => {
        if (label !== undefined && labels !== undefined && !labels.includes(label))
          this.#issues.push({
            path: [...path, "switch", i, "label"],
            message: `no row reaches this branch: ${node.on} is never "${label}", only ${labels.join(", ")}`,
            right: { expected: `one of ${labels.join(", ")}`, example: didYouMean(label, labels) ?? labels[0] },
          });
      });
      if (branches.every(({ label }) => label !== undefined)) {
        const left = labels?.filter((label) => !branches.some((branch) => branch.label === label)) ?? ["other labels"];
        if (left.length > 0)
          this.#issues.push({
            path: [...path, "switch"],
            message: `no branch takes ${left.join(", ")}`,
            right: { expected: "a branch for each label, or a last one without `label`" },
          });
      }
      return (row: Row, answers: Answers) => {
        const found = on.read(row, answers);
        return branches.findIndex(({ label }) => label === undefined || label === found);
      };
    }
    const conditions: (Value | null)[] = [];
    let wrong = false;
    branches.forEach(({ condition }, i) => {
      if (condition === undefined) return void conditions.push(null);
      const at = [...path, "switch", i, "condition"];
      // A later condition is only asked for rows that no earlier one takes.
      const value = this.#value(condition, at, scope, i === 0 ? needs : new Set());
      conditions.push(value);
      if (value === null) wrong = true;
      else if (value.type !== null && value.type.type !== "boolean") {
        this.#issues.push({ path: at, message: `\`${condition}\` is ${typeWords(value.type)}, not true or false` });
        wrong = true;
      } else if (valuesIn(condition).size === 0)
        this.#issues.push({ path: at, message: `\`${condition}\` reads no value: it is the same for every row` });
    });
    return wrong
      ? null
      : (row: Row, answers: Answers) =>
          conditions.findIndex((condition) => condition === null || condition.read(row, answers) === true);
  }

  #key(node: GraphNode, path: Path, needs: Set<string>): ((row: Row) => string) | null {
    const key = node.key!;
    const known = this.#fields.get(key);
    if (known === undefined) {
      const names = [...this.#fields.keys()];
      this.#issues.push({
        path: [...path, "key"],
        message: `no field "${key}"; there are: ${names.join(", ")}`,
        right: {
          expected: "a field of a step's model, or one in `columns`",
          example: didYouMean(key, names) ?? names[0],
        },
      });
      return null;
    }
    if (!["text", "number", "key", "date"].includes(known.field.type)) {
      this.#issues.push({
        path: [...path, "key"],
        message: `the field ${key} holds ${typeWords(known.field)}, which is no key`,
        right: { expected: "a field with a text or a number" },
      });
      return null;
    }
    needs.add(key);
    return (row) => {
      const value = fieldOf(row, key);
      if ((typeof value === "string" && value !== "") || (typeof value === "number" && Number.isFinite(value)))
        return String(value);
      throw new RowError(key, "no key to choose an arm by", "a text or a number", value);
    };
  }

  /** The heads that all parts answer, as the first one has them; null where an answer cannot stand for another. */
  #common(plans: readonly Plan[], path: Path): Head[] | null {
    const [first, ...others] = plans;
    const heads = first!.heads.filter((head) =>
      others.every((plan) => plan.heads.some(({ name }) => name === head.name)),
    );
    if (heads.length === 0) {
      this.#issues.push({
        path,
        message: `they have no head in common: ${plans.map((plan) => `${plan.name} answers ${plan.heads.map(({ name }) => name).join(", ")}`).join("; ")}`,
        right: { expected: "models with a head of the same name" },
      });
      return null;
    }
    let wrong = false;
    for (const head of heads)
      others.forEach((plan, i) => {
        const other = plan.heads.find(({ name }) => name === head.name)!;
        if (sameAnswers(head, other)) return;
        wrong = true;
        this.#issues.push({
          path: [...path, i + 1],
          message: `${plan.name} answers ${head.name} with ${answerWords(other)}, and ${first!.name} with ${answerWords(head)}`,
        });
      });
    return wrong ? null : heads;
  }

  #ensemble(
    node: GraphNode,
    base: { name: string; node: string },
    members: readonly Plan[],
    heads: readonly Head[],
    scope: Scope,
    path: Path,
    needs: Set<string>,
  ): Plan | null {
    const rule = node.combine ?? "mean";
    const at = [...path, ...(node.combine === undefined ? [] : ["combine"])];
    if (typeof rule === "object") {
      const [head] = heads;
      const make = heads.length > 1 ? null : answerFromNumber(head!);
      if (make === null) {
        this.#issues.push({
          path: at,
          message: `an expression gives one number: it makes an answer of one head with a value or two labels, and the members answer ${heads.map((one) => `${one.name} (${answerWords(one)})`).join(", ")}`,
        });
        return null;
      }
      const known = members.reduce((wider, plan) => withAnswer(wider, plan.name, plan.heads), scope);
      const value = this.#value(rule.expression, [...at, "expression"], known, needs);
      if (value === null) return null;
      return {
        ...base,
        kind: "ensemble",
        members,
        heads,
        combine(_, row, answers) {
          const number = value.read(row, answers);
          const result = make(number);
          if (result === null)
            throw new RowError(
              base.name,
              `\`${rule.expression}\` gives no answer`,
              head!.kind === "regression" ? "a number" : "a probability",
              number,
            );
          return { [head!.name]: result };
        },
      };
    }
    const left = heads.filter(({ kind }) => combinable[rule].includes(kind));
    if (left.length === 0) {
      this.#issues.push({
        path: at,
        message: `\`${rule}\` combines no answers of the kind ${heads.map(({ kind }) => kind).join(", ")}`,
        right: {
          expected: `one of ${ruleNames.filter((one) => heads.some(({ kind }) => combinable[one].includes(kind))).join(", ") || "no rule: these answers cannot be combined"}`,
        },
      });
      return null;
    }
    const weights = node.ensemble!.map(({ weight }) => (rule === "weighted" ? weight! : 1));
    const made = left.map((head) =>
      rule === "vote" && head.kind === "classification" ? withoutThreshold(head) : head,
    );
    const combined = made.map((head) => ({ name: head.name, make: combiner(head, rule, weights) }));
    return {
      ...base,
      kind: "ensemble",
      members,
      heads: made,
      combine: (results) =>
        Object.fromEntries(combined.map(({ name, make }) => [name, make(results.map((one) => one[name]!))])),
    };
  }
}

const ruleNames = Object.keys(combinable) as CombineRule[];

/** Shares of votes are no probabilities, so a threshold for these means nothing. */
function withoutThreshold({ threshold: _threshold, ...head }: ClassificationHead): ClassificationHead {
  return head;
}

function answerWords(head: Head): string {
  return head.kind === "classification" ? `the labels ${head.labels.join(", ")}` : `a ${head.kind}`;
}

/** @returns undefined where the answer names what is not there */
function answersOf(
  manifest: GraphManifest,
  root: Plan | null,
  issues: GraphIssue[],
): CompiledGraph["answer"] | undefined {
  if (manifest.answer === undefined) return null;
  if (root === null) return undefined;
  if (root.kind !== "sequence") {
    issues.push({
      path: ["answer"],
      message: `\`answer\` picks heads of a sequence's steps, and root is a ${root.kind}`,
    });
    return undefined;
  }
  const known = root.steps.flatMap((step) =>
    step.heads.map((head) => ({ named: `${step.name}.${head.name}`, step: step.name, head })),
  );
  const names = known.map(({ named }) => named);
  const found = Object.entries(manifest.answer).flatMap(([name, from]) => {
    const one = known.find(({ named }) => named === from);
    if (one !== undefined) return [[name, { step: one.step, head: one.head }] as const];
    issues.push({
      path: ["answer", name],
      message: `no step of root answers "${from}"; there are: ${names.join(", ")}`,
      right: { expected: `one of ${names.join(", ")}`, example: didYouMean(from, names) ?? names[0] },
    });
    return [];
  });
  return found.length === 0 ? undefined : Object.fromEntries(found);
}
