import type { PlotData } from "../content/plot-data.ts";
import type { Cell, Piece } from "../content/task-table.ts";
import { taskTables } from "../content/task-tables.ts";
import { markdownCut } from "../text/escape-markdown.ts";
import { counted } from "../text/format.ts";
import type { Section } from "./fit.ts";

/** Rows of each table; report.html has more. */
const shown = 12;

/** Tables of the heads that answer with rankings, entities or texts, folded away. */
export function taskSections(heads: readonly PlotData[], group: string): Section[] {
  return heads.flatMap((data) => {
    const found = taskTables(data);
    return (found?.tables ?? []).map(({ name, about, columns, rows, left }): Section => {
      const of = heads.length > 1 ? ` of ${markdownCut(data.head, 60)}` : "";
      const beyond = left + Math.max(0, rows.length - shown);
      return {
        name: "answers",
        priority: 42,
        group,
        open: `\n<details><summary>${name}${of}</summary>\n\n${about}\n\n| ${columns.map(({ title }) => title).join(" | ")} |\n| ${columns.map(({ numeric }) => (numeric ? "--:" : "---")).join(" | ")} |\n`,
        items: rows.slice(0, shown).map((cells) => `| ${cells.map(cellText).join(" | ")} |\n`),
        close: `${beyond === 0 ? "" : `\n${counted(beyond, "more row")}, of which report.html has the first.\n`}\n</details>\n`,
        more: (n) => `\n… ${counted(n, "more row")} in report.html\n`,
      };
    });
  });
}

function cellText(one: Cell): string {
  if ("lines" in one)
    return one.lines
      .map(({ label, pieces, list }) => `<sub>${label}</sub> ${pieces.map(pieceText).join(list ? ", " : " ")}`)
      .join("<br>");
  return `${markdownCut(one.text, 80)}${one.aside === undefined ? "" : ` ${markdownCut(one.aside, 60)}`}`;
}

const tags: Record<Piece["kind"], string | null> = { plain: null, hit: "b", missing: "del", added: "ins" };

function pieceText({ text, kind }: Piece): string {
  const inner = markdownCut(text, 100);
  const tag = tags[kind];
  return tag === null ? inner : `<${tag}>${inner}</${tag}>`;
}
