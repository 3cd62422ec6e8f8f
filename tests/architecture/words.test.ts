import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { describe, expect, it } from "vitest";
import { identifiersOf } from "./identifiers.ts";
import { root } from "./sources.ts";

/** Words that only this repository once used, and the field's for the same thing. */
const fieldsWord: Record<string, string> = {
  shortWay: "fastPath",
  Departure: "ClientDisconnect",
  departure: "disconnect",
  gone: "aborted, exited, missing",
  Patience: "RequestDeadline",
  patience: "requestDeadline",
  stillMeasured: "forbidBackendSwitch",
  Room: "BotContext",
  edges: "deps",
  Complaint: "Diagnostic",
  complaint: "diagnostic",
  contest: "compareLatency",
  Contest: "LatencyComparison",
  referee: "sequentialTest",
  Referee: "SequentialTest",
  Glance: "Interim…",
  Look: "Interim…",
  Standing: "Interim…",
  spin: "busyWait",
  unchanged: "ruleOfThree",
  unchangedPasses: "passProbability",
  tell: "updateCard, report, log",
  Told: "CardResult",
  told: "result, notified, reported",
  press: "callback",
  Press: "CallbackAction",
  paint: "renderButtons",
  Painter: "ButtonRenderer",
  front: "webhookServer",
  Front: "WebhookServer",
  Lines: "InboxWorker",
  decided: "deciding",
  leave: "exitNow, release",
  whenOver: "onResponseEnd",
  harmless: "escapeWorkflowCommands",
  secondTries: "flakyReporter",
  handOver: "execChild",
  show: "formatValue",
};

/** Where such a word is a library's or the field's own: ECharts' `show`, Playwright's `press`, a histogram's `edges`. */
const librarys: Record<string, RegExp> = {
  edges: /(^|\/)(watch|profile)\//,
  show: /plots|charts?\.ts|bench\/stats\/speed\.ts/,
  press: /tests\/spaces\/ui\//,
};

const patterns: readonly [RegExp, string][] = [
  [/^(most|longest)[A-Z]/, "max…"],
  [/Edges$/, "…Deps"],
  [/[Cc]omplaint/, "…Diagnostic"],
];

const fileWords = new Set(
  `short-way departure still-measured contest contest-result referee spin unchanged unchanged-passes tell press paint
  front decided leave record when-over show second-tries hand-over`.split(/\s+/),
);

const tracked = execFileSync("git", ["ls-files", "*.ts", "*.js", "*.mjs"], { cwd: root, encoding: "utf8" })
  .split("\n")
  .filter((path) => path !== "" && !path.includes("/dist/") && !path.startsWith("tests/architecture/"));

describe("words", () => {
  it("in identifiers are the field's", () => {
    const found = tracked.flatMap((path) => {
      const words = identifiersOf(readFileSync(join(root, path), "utf8"));
      return [...words].flatMap((word) => {
        const better = Object.hasOwn(fieldsWord, word)
          ? fieldsWord[word]
          : patterns.find(([pattern]) => pattern.test(word))?.[1];
        return better === undefined || librarys[word]?.test(path) === true ? [] : [`${path}: ${word} → ${better}`];
      });
    });
    expect(found).toEqual([]);
  });

  it("in files' names are the field's", () => {
    expect(tracked.filter((path) => fileWords.has(basename(path).split(".")[0]!))).toEqual([]);
  });
});

describe("identifiersOf", () => {
  it.each([
    ["code", "const a = b.c(d);", ["const", "a", "b", "c", "d"]],
    ["no string", "f(\"a b\", 'c')", ["f"]],
    ["no comment", "a; // b\n/* c */ d", ["a", "d"]],
    ["a template's holes", "`a ${b(`c ${d}`)} e`", ["b", "d"]],
    ["no regular expression", "a = /b[/]c/g.test(d)", ["a", "test", "d"]],
    ["a division", "a / b / c", ["a", "b", "c"]],
  ])("finds %s", (_, text, words) => {
    expect([...identifiersOf(text)]).toEqual(words);
  });
});
