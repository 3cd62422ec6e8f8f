import type { PlotData } from "../content/plot-data.ts";
import type { Cell, Piece } from "../content/task-table.ts";
import { taskTables } from "../content/task-tables.ts";
import { maxPieceLength } from "../content/word-differences.ts";
import { htmlText } from "../text/escape-html.ts";
import { cut } from "../text/text.ts";
import type { Budget } from "./budget.ts";
import { folded } from "./folded.ts";

/**
 * Of a head that answers with rankings, entities or texts: its tables.
 * @param named whether the heading names the head
 */
export function taskSection(data: PlotData, named: boolean, budget: Budget): string {
  const found = taskTables(data);
  if (found === null || data.candidate.ids.length === 0) return "";
  const of = named ? ` of ${htmlText(cut(data.head, 60))}` : "";
  const tables = found.tables.map(({ name, about, columns, rows, left }) => {
    const head = `<tr>${columns.map(({ title, numeric }) => `<th scope="col"${numeric ? ' class="n"' : ""}>${title}</th>`).join("")}</tr>`;
    const lines = rows.map(
      (cells) => `<tr>${cells.map((one, i) => cell(one, columns[i]?.numeric === true)).join("")}</tr>`,
    );
    return folded({ name, about, head, left }, lines, budget);
  });
  const all = tables.length === 0 ? '<p class="faint">No answer differs from what is true.</p>' : tables.join("");
  return `<h3>${found.heading}${of}</h3>${all}`;
}

function cell(one: Cell, numeric: boolean): string {
  if ("lines" in one) {
    const lines = one.lines.map(
      ({ label, pieces, list }) => `<div><small>${label}</small> ${pieces.map(piece).join(list ? ", " : " ")}</div>`,
    );
    return `<td class="answer">${lines.join("")}</td>`;
  }
  const aside = one.aside === undefined ? "" : ` <span class="faint">${htmlText(one.aside)}</span>`;
  return `<td class="${numeric ? "n" : "name"}">${htmlText(cut(one.text, 80))}${aside}</td>`;
}

const tags: Record<Piece["kind"], string> = { plain: "span", hit: "b", missing: "del", added: "ins" };

function piece({ text, kind }: Piece): string {
  return `<${tags[kind]}>${htmlText(cut(text, maxPieceLength))}</${tags[kind]}>`;
}
