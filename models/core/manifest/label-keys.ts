import type { Head } from "../postprocess/schema.ts";
import type { RightValue } from "./config-issues.ts";

/** The keys of a head's labels that only some kinds of head have. */
const ownKeys = {
  map: ["classification", "regression"],
  gains: ["ranking"],
  rows: ["ranking"],
  series: ["series", "regression"],
  step: ["series", "regression"],
  naive2: ["series", "regression"],
  audioSeconds: ["text"],
} as const satisfies Record<string, readonly Head["kind"][]>;

type Labels = Readonly<{ field: string; rows?: string | undefined } & Partial<Record<keyof typeof ownKeys, unknown>>>;

/** What of a head's labels does not fit its kind. */
export function labelProblems(
  head: Head,
  labels: Labels,
  idField: string | undefined,
): { key: string; message: string; right?: RightValue }[] {
  const strange = (Object.keys(ownKeys) as (keyof typeof ownKeys)[])
    .filter((key) => labels[key] !== undefined && !(ownKeys[key] as readonly string[]).includes(head.kind))
    .map((key) => ({
      key,
      message: `\`${key}\` belongs to a head of kind ${ownKeys[key].join(" or ")}, and "${head.name}" is a ${head.kind} head`,
    }));
  return labels.rows === "items" && idField === undefined
    ? [
        ...strange,
        {
          key: "rows",
          message: "the rows of a user are told by their `idField`, and the dataset names none",
          right: { expected: "the field that names the user", example: "user", at: ["dataset", "idField"] },
        },
      ]
    : strange;
}
