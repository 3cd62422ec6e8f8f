import type { Column } from "./columns.ts";
import type { Answers, Note, Question } from "./question.ts";

/** Which column is what, apart from what the graph reads. */
export type Roles = {
  id: string | null;
  label: string;
  group: string | null;
  time: string | null;
  slices: string[];
  notes: Note[];
  questions: Question[];
};

/** What the graph's outputs tell about the true value. */
export type Wanted = {
  /** Names of the graph's outputs. */
  outputs: readonly string[];
  /** Number of classes; null where the graph gives a number or a series. */
  classes: number | null;
  /** Class names that the graph, or files beside it, state. */
  names: readonly string[] | null;
  /** Length of a series that the graph forecasts. */
  horizon: number | null;
  /** Columns that the graph reads by name. */
  read: readonly string[];
};

const labelName = /^(labels?|targets?|class(es)?|y|outcome|truth|expected|ground_?truth|response)$/i;
const labelLike =
  /(^|_)(label|target|class|outcome|diagnosis|score|rating|price|quality|status|survived|default)(_|$)/i;
const idName = /^(id|uuid|guid|key|index|idx|row_?id|passenger_?id|.*_id|.*_uuid|nr|no)$/i;
const groupName =
  /^(user|customer|client|patient|account|session|store|shop|card|group|site|author)(_?(id|key|no|nr))?$|_id$/i;
const timeName = /^(date|time|timestamp|datetime|day|month|created(_at)?|.*_(at|date|time))$/i;

/** Fewest rows that a value needs to be a slice. */
const sliceRows = 30;

/**
 * Candidates for label, id, group, time and slices. What a person said counts; then the graph; then names and values.
 *
 * @returns null where no column can be the label
 */
export function rolesOf(columns: readonly Column[], wanted: Wanted, answers: Answers): Roles | null {
  const notes: Note[] = [];
  const questions: Question[] = [];
  const ranked = labelCandidates(columns, wanted);
  const said = answers.label === undefined ? undefined : columns.find(({ name }) => name === answers.label);
  if (answers.label !== undefined && said === undefined) return null;
  const label = said ?? ranked[0]?.column;
  if (label === undefined) return null;
  if (said === undefined) {
    const [first, second] = ranked;
    const clear = second === undefined || first!.points >= second.points + 5;
    notes.push({
      about: "label",
      says: `the column "${label.name}" holds the true value: ${first!.why}`,
      guess: !clear,
    });
    if (!clear)
      questions.push({
        key: "label",
        flag: "--label",
        asks: "Which column holds the true value?",
        because: `${ranked
          .slice(0, 3)
          .map(({ column }) => `"${column.name}"`)
          .join(", ")} could`,
        choices: ranked.slice(0, 8).map(({ column }) => column.name),
        guess: label.name,
      });
  }
  const rest = columns.filter((one) => one !== label && !wanted.read.includes(one.name));
  const id = answers.idColumn ?? rest.find((one) => one.unique && idName.test(one.name))?.name ?? null;
  const group =
    answers.group ??
    rest.find(
      (one) =>
        one.name !== id &&
        !one.unique &&
        groupName.test(one.name) &&
        (one.many || one.values.size >= 10) &&
        one.rows / Math.max(1, one.values.size) >= 1.5,
    )?.name ??
    null;
  if (group !== null && answers.group === undefined)
    notes.push({ about: "group", says: `rows with the same "${group}" are taken to belong together`, guess: true });
  const time =
    answers.time ??
    rest.find((one) => one.name !== id && one.kind === "date" && timeName.test(one.name))?.name ??
    rest.find((one) => one.name !== id && one.kind === "date" && one.missing === 0)?.name ??
    null;
  const slices =
    answers.slices === undefined
      ? sliceCandidates(columns.filter(({ name }) => ![label.name, id, group, time].includes(name)))
      : [...answers.slices];
  if (answers.slices === undefined && slices.length > 0)
    notes.push({ about: "slices", says: "columns with few values, each on enough rows", guess: true });
  return { id, label: label.name, group, time, slices, notes, questions };
}

function labelCandidates(
  columns: readonly Column[],
  wanted: Wanted,
): { column: Column; points: number; why: string }[] {
  const loose = (name: string) => name.toLowerCase().replaceAll(/[^a-z0-9]/g, "");
  return columns
    .filter((one) => !wanted.read.includes(one.name) && one.kind !== "empty" && one.kind !== "image")
    .map((column, i) => {
      const reasons: [points: number, why: string][] = [];
      const { name, kind, values, many, unique } = column;
      if (labelName.test(name)) reasons.push([10, "its name"]);
      else if (labelLike.test(name)) reasons.push([4, "its name"]);
      const output = wanted.outputs.find(
        (one) => loose(one).length > 2 && (loose(one).includes(loose(name)) || loose(name).includes(loose(one))),
      );
      if (output !== undefined && loose(name).length > 2) reasons.push([8, `the graph's output is called ${output}`]);
      const known = wanted.names?.map((one) => one.toLowerCase());
      if (
        known !== undefined &&
        values.size > 0 &&
        [...values.keys()].every((one) => known.includes(one.toLowerCase()))
      )
        reasons.push([12, "its values are the graph's classes"]);
      if (wanted.horizon !== null)
        reasons.push(
          kind === "list" && column.size === wanted.horizon
            ? [12, `lists of ${wanted.horizon} numbers, as the graph gives`]
            : [-20, ""],
        );
      else if (kind === "list") reasons.push(wanted.classes === null ? [-20, ""] : [-2, ""]);
      else if (wanted.classes !== null)
        reasons.push(
          !many && values.size === wanted.classes
            ? [6, `${values.size} different values, as many as the graph has classes`]
            : !many && values.size < wanted.classes && values.size > 1
              ? [1, "few different values"]
              : [-20, ""],
        );
      else if (!many && values.size === 2) reasons.push([5, "two values, which one number per row tells apart"]);
      else if (kind === "number") reasons.push(values.size > 10 || many ? [3, "a number"] : [-1, "a number"]);
      else reasons.push([-20, ""]);
      if (unique && idName.test(name)) reasons.push([-10, ""]);
      if (timeName.test(name)) reasons.push([-5, ""]);
      if (i === columns.length - 1) reasons.push([4, "the last column"]);
      return {
        column,
        points: reasons.reduce((sum, [points]) => sum + points, 0),
        why: reasons.toSorted(([a], [b]) => b - a)[0]?.[1] || "nothing else fits",
      };
    })
    .filter(({ points }) => points > -5)
    .toSorted((a, b) => b.points - a.points);
}

/** At most two columns with few values. */
function sliceCandidates(columns: readonly Column[]): string[] {
  return columns
    .filter((one) => {
      if (one.many || one.kind === "image" || one.kind === "list" || one.kind === "other") return false;
      if (one.name === "path" || ["label", "weight", "id", "group", "augmentation"].includes(one.name)) return false;
      const most = one.kind === "number" ? 6 : 12;
      if (one.kind === "number" && !one.whole) return false;
      const enough = [...one.values.values()].filter((count) => count >= sliceRows).length;
      return one.values.size >= 2 && one.values.size <= most && enough === one.values.size && one.length <= 40;
    })
    .toSorted((a, b) => Number(a.kind === "number") - Number(b.kind === "number") || a.values.size - b.values.size)
    .slice(0, 2)
    .map(({ name }) => name);
}
