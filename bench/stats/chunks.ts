import { existsSync, readFileSync } from "node:fs";
import type { Tally } from "./simulate.ts";

/** One line of the simulation's file: a finished chunk. Chunk k of a cell holds its gates from k · chunkGates on. */
export type Chunk = { cell: string; chunk: number; gates: number; seconds: number; tallies: Record<string, Tally> };

/** Gates per chunk: some seconds of work, whatever the size of the data. */
export const chunkGates = 250;
export const gatesFile = ".cache/bench/calibration-gates.jsonl";

/** Finished chunks, each once, even if two simultaneous runs both wrote one. */
export function readChunks(file: string): Chunk[] {
  const lines = existsSync(file)
    ? readFileSync(file, "utf8")
        .split("\n")
        .filter((line) => line !== "")
    : [];
  return [
    ...new Map(lines.map((line) => JSON.parse(line) as Chunk).map((one) => [`${one.cell}#${one.chunk}`, one])).values(),
  ];
}
