import { positiveLabel } from "../postprocess/classification.ts";
import type { ClassificationHead, Head, RegressionHead } from "../postprocess/schema.ts";
import type { Rule, Rules } from "./schema.ts";

type Issue = {
  path: (string | number)[];
  message: string;
  right?: { expected?: string; example?: unknown };
};

/** Whether a rule can change a head's answer. */
export function isChangeable(head: Head): head is ClassificationHead | RegressionHead {
  return head.kind === "classification" || head.kind === "regression";
}

/** The head that a rule changes: the one it names, or the only one there is. */
export function headOf(rule: Rule, heads: readonly Head[]): Head | null {
  if (rule.head !== undefined) return heads.find(({ name }) => name === rule.head) ?? null;
  return heads.length === 1 ? heads[0]! : null;
}

/** What in `rules.list` does not fit the model's heads. Paths begin at the list. */
export function ruleIssues(rules: Rules | undefined, heads: readonly Head[]): Issue[] {
  const seen = new Set<string>();
  return (rules?.list ?? []).flatMap((rule, i): Issue[] => {
    const twice = seen.has(rule.id);
    seen.add(rule.id);
    return [
      ...(twice ? [{ path: [i, "id"], message: `a rule "${rule.id}" stands before this one` }] : []),
      ...headIssues(rule, heads).map((issue) => ({ ...issue, path: [i, ...issue.path] })),
    ];
  });
}

function headIssues(rule: Rule, heads: readonly Head[]): Issue[] {
  const names = heads.map(({ name }) => name);
  const expected = `one of ${names.join(", ")}`;
  if (rule.head !== undefined && !names.includes(rule.head))
    return [{ path: ["head"], message: `no head "${rule.head}"`, right: { expected, example: names[0] } }];
  const { override, add } = rule;
  if (override === undefined && add === undefined) return [];
  const head = headOf(rule, heads);
  if (head === null)
    return [
      {
        path: [],
        message: `the model has several heads, and the rule does not say which it changes`,
        right: { expected: `head: ${expected}`, example: { ...rule, head: names[0] } },
      },
    ];
  const key = override === undefined ? "add" : "override";
  if (!isChangeable(head))
    return [{ path: [key], message: `a ${head.kind} head cannot be changed by a rule; give \`reasons\`` }];
  if (head.kind === "regression") {
    const effect = override ?? add!;
    return effect.value === undefined
      ? [{ path: [key], message: `${head.name} is a regression head`, right: wanted({ value: 1 }) }]
      : [];
  }
  if (override?.value !== undefined || add?.value !== undefined)
    return [
      {
        path: [key],
        message: `${head.name} is a classification head`,
        right: wanted({ [anyPart(key)]: anyOf(head, key) }),
      },
    ];
  if (override?.label !== undefined && !head.labels.includes(override.label))
    return [
      {
        path: ["override", "label"],
        message: `"${override.label}" is not one of the labels ${head.labels.join(", ")}`,
        right: { expected: `one of ${head.labels.join(", ")}`, example: head.labels[0] },
      },
    ];
  if (head.labels.length !== 2 && override?.label === undefined)
    return [
      {
        path: [key],
        message: `a score belongs to a head with two labels, and ${head.name} has ${head.labels.length}`,
        right: { expected: "override: {label: …}" },
      },
    ];
  return [];
}

const wanted = (example: object) => ({ expected: `{${Object.keys(example)[0]}: …}`, example });
const anyPart = (key: "add" | "override") => (key === "add" ? "atLeast" : "label");
const anyOf = (head: Extract<Head, { kind: "classification" }>, key: "add" | "override") =>
  key === "add" ? 0.9 : positiveLabel(head);
