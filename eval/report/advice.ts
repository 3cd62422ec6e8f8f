import picocolors from "picocolors";
import type { AdviceFile, AdviceResult, AdviceWord, ModelAdvice } from "../schema/advice.ts";
import { counted, fixed, percent } from "./text/format.ts";
import { ascii, type Glyphs, unicode } from "./text/glyphs.ts";
import { markdownCode, markdownCut } from "./text/escape-markdown.ts";
import type { TerminalOptions } from "./terminal.ts";
import { renderTable, wrap } from "./terminal-table.ts";
import { cut, oneLine } from "./text/text.ts";

const heading = "advisory, decides nothing";
const maxBroken = 5;

/** The advice on remote models for a terminal: a table per model, or why nothing was asked. */
export function adviceTerminal(file: AdviceFile, options: TerminalOptions): string {
  const glyphs = options.plain === true ? ascii : unicode;
  const width = Math.min(140, Math.max(80, Math.floor(options.width)));
  const colors = picocolors.createColors(options.color);
  const wordColors: Record<AdviceWord, (text: string) => string> = {
    holds: colors.green,
    "falls short": colors.yellow,
    open: colors.cyan,
    "not measured": colors.dim,
  };
  const lines = (text: string) => wrap(oneLine(text), width - 2).map((line) => `  ${line}`);
  return `${file.models
    .map((model) => {
      const parts = [
        [
          colors.bold(`${oneLine(model.model.id)} ${oneLine(model.model.version)}: ${heading}`),
          ...lines(whereabouts(model, glyphs)).map(colors.dim),
        ].join("\n"),
      ];
      if (model.state !== "measured") parts.push(lines(`Not asked: ${sentence(model.reason)}.`).join("\n"));
      else {
        parts.push(
          renderTable(
            [
              { head: "check" },
              { head: "rule", flexible: true },
              { head: "kept", align: "right" },
              { head: "share", align: "right" },
              { head: "interval" },
              { head: "wanted" },
              { head: "" },
            ],
            model.checks.map((check) => ({
              cells: [
                check.kind,
                oneLine(check.rule),
                kept(check),
                share(check, glyphs),
                interval(check, glyphs),
                `${glyphs.atLeast} ${percent(check.atLeast)}`,
                wordColors[check.word](check.word),
              ],
              ...(check.broken.length === 0
                ? {}
                : { below: broken(check, glyphs, (id) => cut(oneLine(id), 40, glyphs.ellipsis)) }),
            })),
            width,
            glyphs,
          ),
        );
        parts.push(facts(model, glyphs).flatMap(lines).join("\n"));
      }
      return parts.join("\n\n");
    })
    .join("\n\n")}\n`;
}

/** The advice as Markdown, for a pull-request comment and a step summary. Text from outside is escaped. */
export function adviceMarkdown(file: AdviceFile): string {
  return file.models
    .map((model) => {
      const title = `\n### ${markdownCut(model.model.id, 100)} ${markdownCut(model.model.version, 60)}: ${heading}\n\n${markdownCut(whereabouts(model, unicode), 300)}\n`;
      if (model.state !== "measured") return `${title}\nNot asked: ${markdownCut(sentence(model.reason), 500)}.\n`;
      const rows = model.checks.map(
        (check) =>
          `| ${check.kind} | ${markdownCut(check.rule, 120)} | ${kept(check)} | ${share(check, unicode)} | ${interval(check, unicode)} | ≥ ${percent(check.atLeast)} | ${check.word}${check.broken.length === 0 ? "" : `<br>${broken(check, unicode, (id) => markdownCode(id, 60))}`} |`,
      );
      return `${title}\n| check | rule | kept | share | interval | wanted | |\n| --- | --- | ---: | ---: | --- | --- | --- |\n${rows.join("\n")}\n\n${facts(
        model,
        unicode,
      )
        .map((line) => `- ${markdownCut(line, 300)}\n`)
        .join("")}`;
    })
    .join("");
}

function whereabouts({ model, prompts, answered, state }: ModelAdvice, glyphs: Glyphs): string {
  return `${model.remote} ${glyphs.dot} ${counted(prompts, "prompt")}${state === "measured" ? `, ${answered} answered` : ""}`;
}

function kept({ kept, n }: AdviceResult): string {
  return `${kept}/${n}`;
}

function share({ kept, n }: AdviceResult, glyphs: Glyphs): string {
  return n === 0 ? glyphs.dash : percent(Number((kept / n).toFixed(3)));
}

function interval({ interval }: AdviceResult, glyphs: Glyphs): string {
  return interval === null
    ? glyphs.dash
    : `[${fixed(interval.low * 100, 1, glyphs)}%, ${fixed(interval.high * 100, 1, glyphs)}%]`;
}

function broken({ broken }: AdviceResult, glyphs: Glyphs, format: (id: string) => string): string {
  const left = broken.length - maxBroken;
  return `not by ${broken.slice(0, maxBroken).map(format).join(", ")}${left > 0 ? ` ${glyphs.ellipsis} and ${left} more` : ""}`;
}

function facts(model: ModelAdvice, glyphs: Glyphs): string[] {
  const { failures, firstWordsMs, answerMs, tokensPerAnswer, costPerThousand } = model;
  const levels = [
    ...new Set(
      model.checks.flatMap(({ interval }) =>
        interval === null ? [] : [`${interval.method}, ${percent(interval.level)}`],
      ),
    ),
  ];
  const pair = ({ p50, p95 }: { p50: number; p95: number }) =>
    `p50 ${fixed(p50, 0, glyphs)} ms, p95 ${fixed(p95, 0, glyphs)} ms`;
  return [
    ...(Object.keys(failures).length === 0
      ? []
      : [
          `Without an answer: ${Object.entries(failures)
            .map(([reason, times]) => `${times} ${reason}`)
            .join(", ")}`,
        ]),
    ...(firstWordsMs === null || answerMs === null
      ? []
      : [`First words ${pair(firstWordsMs)} ${glyphs.dot} whole answer ${pair(answerMs)}`]),
    ...(tokensPerAnswer === null
      ? []
      : [
          `Per answer ${fixed(tokensPerAnswer.input, 1, glyphs)} tokens read and ${fixed(tokensPerAnswer.output, 1, glyphs)} written${costPerThousand === null ? "" : `: ${costPerThousand.currency} ${fixed(costPerThousand.amount, 4, glyphs)} per 1,000 answers at the manifest's prices`}`,
        ]),
    `Intervals: ${levels.length === 0 ? "none" : levels.join("; ")}. holds: all of it is at or above what is wanted; falls short: all of it is below; open: neither`,
  ];
}

function sentence(text: string): string {
  return oneLine(text).replace(/\.$/, "");
}
