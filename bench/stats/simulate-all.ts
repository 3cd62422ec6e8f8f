import { appendFileSync, existsSync, mkdirSync, readFileSync } from "node:fs";
import { dirname } from "node:path";
import { parseArgs } from "node:util";
import { type Cell, cells, prepareCell } from "./cells.ts";
import { simulate, type Tally } from "./simulate.ts";

/** One line of the results: a finished chunk. */
export type Chunk = { cell: string; chunk: number; gates: number; seconds: number; tallies: Record<string, Tally> };

/** Gates per chunk: about as long for small data as for large. */
export const chunkGates = 250;
export const gatesFile = ".cache/bench/calibration-gates.jsonl";

/** Finished chunks, each once, though two runs at a time may have written it twice. */
export function readChunks(file: string): Chunk[] {
  const lines = existsSync(file) ? readFileSync(file, "utf8").split("\n").filter((line) => line !== "") : [];
  return [...new Map(lines.map((line) => JSON.parse(line) as Chunk).map((one) => [`${one.cell}#${one.chunk}`, one])).values()];
}

/**
 * Simulates the chunks that `file` does not have yet, round by round over all cells so that an interrupted run is even, and appends each.
 * A chunk's numbers depend on its cell and its position alone.
 */
export function simulateAll(file: string, gates: number, seed: number, only: RegExp, onChunk: (chunk: Chunk) => void): void {
  mkdirSync(dirname(file), { recursive: true });
  const done = new Set(readChunks(file).map(({ cell, chunk }) => `${cell}#${chunk}`));
  const wanted = cells.filter(({ id }) => only.test(id));
  const prepared = new Map(wanted.map((cell) => [cell.id, prepareCell(cell)]));
  for (let chunk = 0; chunk * chunkGates < gates; chunk++) {
    for (const cell of wanted) {
      if (done.has(`${cell.id}#${chunk}`)) continue;
      const start = performance.now();
      const tallies = simulate(cell, prepared.get(cell.id) as NonNullable<ReturnType<typeof prepared.get>>, seed + seedOf(cell), chunk * chunkGates, chunkGates);
      const line: Chunk = { cell: cell.id, chunk, gates: chunkGates, seconds: Math.round(performance.now() - start) / 1000, tallies };
      appendFileSync(file, `${JSON.stringify(line)}\n`);
      onChunk(line);
    }
  }
}

/** Both worlds of a kind of data share their random streams: they differ by the candidate's change and nothing else. */
function seedOf(cell: Cell): number {
  return 1000 * cell.n + Math.round(100 * (cell.share ?? 10 + (cell.spread ?? 0)));
}

if (import.meta.main) {
  const { values } = parseArgs({ options: { gates: { type: "string", default: "2000" }, seed: { type: "string", default: "1" }, only: { type: "string", default: "" }, out: { type: "string", default: gatesFile } } });
  simulateAll(values.out, Number(values.gates), Number(values.seed), new RegExp(values.only), ({ cell, chunk, seconds }) => process.stderr.write(`${cell} #${chunk}: ${seconds} s\n`));
}
