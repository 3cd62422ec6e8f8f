import { readFileSync } from "node:fs";
import { Stryker } from "@stryker-mutator/core";

export type Survivor = {
  file: string;
  line: number;
  mutator: string;
  original: string;
  replacement: string;
  /** `unreached`: no test of the room runs the line. */
  status: "survived" | "unreached";
};
export type RoomResult = {
  room: string;
  /** How many the room has in all; `mutants` of them were tried. */
  all: number;
  mutants: number;
  noticed: number;
  survivors: Survivor[];
  /** Of the whole run, its first run without a mutant included. */
  seconds: number;
  seed: number | null;
};

/** Code in one line that a table can hold. */
const short = (text: string) => {
  const line = text.replaceAll(/\s+/g, " ").trim();
  return line.length <= 90 ? line : `${line.slice(0, 60)} … ${line.slice(-25)}`;
};

/**
 * Tries the mutants of a room.
 *
 * @param mutate globs, or FILE:FROM-TO
 * @param sample how many at most, drawn by the seed
 */
export async function mutateRoom(
  room: string,
  mutate: readonly string[],
  sample: { count: number; seed: number },
): Promise<RoomResult> {
  // Read by vitest.config.ts in the processes that Stryker starts.
  process.env["MUTANT_ROOM"] = room;
  const began = performance.now();
  const results = await new Stryker({
    mutate: [...mutate],
    testRunner: "vitest",
    vitest: { configFile: "scripts/mutants/vitest.config.ts", related: false, pool: "forks" },
    plugins: ["@stryker-mutator/vitest-runner", "./scripts/mutants/plugins.ts"],
    checkers: ["sample"],
    ignorers: ["words"],
    reporters: [],
    // One process: rooms start servers, and a second one would only share the two processors of a small machine.
    concurrency: 1,
    tempDirName: ".cache/mutants",
    ignorePatterns: ["actions/*/dist", ".sluice", ".cache", "coverage"],
    // Only for rewriting the paths of a project with several of them, and with a compiler that has no API any more.
    tsconfigFile: "none.json",
    warnings: false,
    timeoutMS: 20_000,
    // The first run, without a mutant, takes minutes on a busy machine.
    dryRunTimeoutMinutes: 30,
    disableTypeChecks: false,
    allowConsoleColors: false,
    // Its enum of levels exists for the compiler only.
    ...({ logLevel: "error" } as object),
    ...({ sample: { ...sample, count: Number.isFinite(sample.count) ? sample.count : null } } as object),
  }).runMutationTest();
  const tried = results.filter(({ status }) => status !== "Ignored" && status !== "CompileError");
  const survivors = tried
    .filter(({ status }) => status === "Survived" || status === "NoCoverage")
    .map(({ fileName, location, mutatorName, replacement, status }): Survivor => {
      // Lines and columns from 1 on.
      const { start, end } = location;
      const lines = readFileSync(fileName, "utf8")
        .split("\n")
        .slice(start.line - 1, end.line);
      lines[lines.length - 1] = lines.at(-1)!.slice(0, end.column - 1);
      return {
        file: fileName.replace(`${process.cwd()}/`, ""),
        line: start.line,
        mutator: mutatorName,
        original: short([lines[0]!.slice(start.column - 1), ...lines.slice(1)].join("\n")),
        replacement: short(replacement ?? ""),
        status: status === "Survived" ? "survived" : "unreached",
      };
    })
    .toSorted((a, b) => (a.file === b.file ? a.line - b.line : a.file < b.file ? -1 : 1));
  return {
    room,
    all: results.filter(({ status }) => status !== "Ignored").length,
    mutants: tried.length,
    noticed: tried.length - survivors.length,
    survivors,
    seconds: (performance.now() - began) / 1000,
    seed: Number.isFinite(sample.count) ? sample.seed : null,
  };
}
