import CliTable from "cli-table3";
import tableUtils from "cli-table3/src/utils.js";
import type { Glyphs } from "./text/glyphs.ts";

export type Column = {
  head: string;
  align?: "left" | "right";
  /** May be wrapped when the terminal is narrow. */
  flexible?: boolean;
};
/** A row of cells (lines separated by \n), and a sentence below it over the full width. */
export type Row = { cells: string[]; below?: string };

const gap = 2;
const indent = 1;

/**
 * Number of terminal columns that a text takes, as the table library counts them. Another opinion on wide characters
 * and marks would make the library pad columns that were measured differently.
 */
export function displayWidth(text: string): number {
  return tableUtils.strlen(text);
}

/** Width of the table when nothing is wrapped. */
export function naturalWidth(columns: readonly Column[], rows: readonly Row[]): number {
  return indent + widths(columns, rows).reduce((sum, width) => sum + width + gap, 0) - gap;
}

/**
 * A table with one rule under its head, never wider than `width`: the flexible columns wrap into the space that is
 * left.
 */
export function renderTable(columns: readonly Column[], rows: readonly Row[], width: number, glyphs: Glyphs): string {
  const fitted = squeeze(widths(columns, rows), columns, width - indent + gap);
  const line = glyphs.dash === "-" ? "-" : "─";
  const none = {
    top: "",
    "top-mid": "",
    "top-left": "",
    "top-right": "",
    bottom: "",
    "bottom-mid": "",
    "bottom-left": "",
    "bottom-right": "",
    left: "",
    "left-mid": "",
    right: "",
    "right-mid": "",
    mid: "",
    "mid-mid": "",
    middle: "",
  };
  const table = new CliTable({
    chars: none,
    colWidths: fitted.map((one) => one + gap),
    colAligns: columns.map(({ align = "left" }) => align),
    truncate: glyphs.ellipsis,
    style: { "padding-left": 0, "padding-right": gap, head: [], border: [], compact: true },
  });
  table.push(
    columns.map(({ head }) => head),
    fitted.map((one) => line.repeat(one)),
  );
  const across =
    Math.min(
      width,
      fitted.reduce((sum, one) => sum + one + gap, 0),
    ) - 6;
  for (const { cells, below } of rows) {
    // Wrapped here, because the library's own wrapping miscounts cells with colour.
    table.push(
      cells.map((cell, i) =>
        cell
          .split("\n")
          .flatMap((line) => (displayWidth(line) > (fitted[i] ?? 0) ? wrap(line, fitted[i] ?? 1) : [line]))
          .join("\n"),
      ),
    );
    if (below !== undefined)
      table.push([
        {
          content: wrap(below, across)
            .map((text) => `  ${text}`)
            .join("\n"),
          colSpan: columns.length,
        },
      ]);
  }
  return table
    .toString()
    .split("\n")
    .map((text) => (" ".repeat(indent) + text).trimEnd())
    .join("\n");
}

function widths(columns: readonly Column[], rows: readonly Row[]): number[] {
  return columns.map(({ head }, i) =>
    Math.max(
      ...[head, ...rows.map(({ cells }) => cells[i] ?? "")].flatMap((text) => text.split("\n")).map(displayWidth),
    ),
  );
}

function squeeze(natural: number[], columns: readonly Column[], room: number): number[] {
  const fitted = [...natural];
  const total = () => fitted.reduce((sum, one) => sum + one + gap, 0);
  const squeezeSome = (may: (column: Column, i: number) => boolean, least: number) => {
    while (total() > room) {
      const widest = columns.reduce(
        (best, column, i) => (may(column, i) && (fitted[i] ?? 0) > (fitted[best] ?? 0) ? i : best),
        columns.findIndex(may),
      );
      if ((fitted[widest] ?? 0) <= least) return;
      fitted[widest] = (fitted[widest] ?? 0) - 1;
    }
  };
  squeezeSome((column) => column.flexible === true, 10);
  // Only absurdly long numbers get this far. The last column holds the verdict and is not squeezed.
  squeezeSome((_, i) => i < columns.length - 1, 6);
  return fitted;
}

/** Lines of at most `width` columns, broken at spaces. A longer word is broken wherever necessary. */
export function wrap(text: string, width: number): string[] {
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(" ").flatMap((one) => pieces(one, width))) {
    if (line !== "" && displayWidth(line) + 1 + displayWidth(word) > width) {
      lines.push(line);
      line = word;
    } else line = line === "" ? word : `${line} ${word}`;
  }
  return [...lines, line];
}

function pieces(word: string, width: number): string[] {
  if (displayWidth(word) <= width) return [word];
  const parts = [""];
  for (const character of word) {
    const last = parts.length - 1;
    if (displayWidth(parts[last] + character) > width) parts.push(character);
    else parts[last] += character;
  }
  return parts;
}
