import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { wilson } from "../../eval/stats/wilson.ts";
import type { RoomResult, Survivor } from "./mutate-room.ts";
import { mutantRooms } from "./rooms.ts";

export const resultsFile = "bench/results/mutants.json";
const page = "bench/results/mutants.md";

/** What a person found about a survivor: `equivalent` with the reason, or `open` with what would notice it. */
type Judgement = { file: string; original: string; replacement: string; judged: "equivalent" | "open"; why: string };
type Results = { rooms: RoomResult[]; judgements: Judgement[] };

export function readResults(): Results {
  if (!existsSync(resultsFile)) return { rooms: [], judgements: [] };
  return JSON.parse(readFileSync(resultsFile, "utf8")) as Results;
}

export function writeResults(result: RoomResult): void {
  const { rooms, judgements } = readResults();
  const order = Object.keys(mutantRooms);
  const next = [...rooms.filter(({ room }) => room !== result.room), result].toSorted(
    (a, b) => order.indexOf(a.room) - order.indexOf(b.room),
  );
  writeFileSync(resultsFile, `${JSON.stringify({ rooms: next, judgements }, null, 2)}\n`);
}

const percent = (share: number) => `${(100 * share).toFixed(0)} %`;
const cell = (text: string) => `\`${text.replaceAll("|", "\\|").replaceAll("`", "'")}\``;

function judgementOf(judgements: readonly Judgement[], one: Survivor): Judgement | undefined {
  return judgements.find(
    ({ file, original, replacement }) =>
      file === one.file && original === one.original && replacement === one.replacement,
  );
}

/** The page of the latest results. */
export function pageOf({ rooms, judgements }: Results): string {
  const rows = rooms.map(({ room, all, mutants, noticed, survivors, seconds }) => {
    const equivalent = survivors.filter((one) => judgementOf(judgements, one)?.judged === "equivalent").length;
    const { low, high } = wilson(noticed, mutants - equivalent, 0.95);
    return `| ${room} | ${all} | ${mutants} | ${noticed} | ${equivalent} | ${mutants - noticed - equivalent} | ${percent(noticed / (mutants - equivalent))} (${percent(low)} to ${percent(high)}) | ${(seconds / mutants).toFixed(1)} |`;
  });
  const listed = rooms.flatMap(({ room, survivors }) =>
    survivors.length === 0
      ? []
      : [
          `### ${room}`,
          "",
          "| where | change | judged |",
          "| --- | --- | --- |",
          ...survivors.map((one) => {
            const found = judgementOf(judgements, one);
            const said = found === undefined ? "not judged yet" : `${found.judged}: ${found.why}`;
            return `| ${one.file}:${one.line}${one.status === "unreached" ? " (not run)" : ""} | ${cell(one.original)} → ${cell(one.replacement)} | ${said} |`;
          }),
          "",
        ],
  );
  return [
    "# Mutants",
    "",
    "Small changes of the code, one at a time, and whether the quick tests of its room notice them.",
    "Made by `npm run mutants`; how to read and use it is in [docs/tests.md](../../docs/tests.md). The rate leaves out",
    "mutants that change nothing (equivalent), with Wilson's interval at 95 %. Seconds: of the whole run, by mutant.",
    "",
    "| room | mutants in all | tried | noticed | equivalent | not noticed | rate | seconds each |",
    "| --- | --- | --- | --- | --- | --- | --- | --- |",
    ...rows,
    "",
    "## Not noticed",
    "",
    ...listed,
  ]
    .join("\n")
    .trimEnd()
    .concat("\n");
}

export function writePage(results: Results): void {
  writeFileSync(page, pageOf(results));
}
