import { appendFileSync, mkdirSync } from "node:fs";
import { dirname } from "node:path";
import { parseArgs } from "node:util";
import { readCommitted } from "./calibration-results.ts";
import { type Cell, cells, prepareCell } from "./cells.ts";
import { type Chunk, chunkGates, gatesFile, readChunks } from "./chunks.ts";
import { simulate } from "./simulate.ts";

export type Simulation = {
  /** Where finished chunks are appended. */
  file: string;
  gates: number;
  seed: number;
  /** Only cells whose id matches. */
  only: RegExp;
  /** Number of a cell's first gates that are already done elsewhere. */
  doneBefore(cell: Cell): number;
  onChunk(chunk: Chunk): void;
};

/**
 * Simulates the missing chunks and appends each. It goes round by round over all cells, so that an interrupted run is
 * even. A chunk's numbers depend only on its cell and its position.
 */
export function simulateAll({ file, gates, seed, only, doneBefore, onChunk }: Simulation): void {
  mkdirSync(dirname(file), { recursive: true });
  const done = new Set(readChunks(file).map(({ cell, chunk }) => `${cell}#${chunk}`));
  const wanted = cells.filter(({ id }) => only.test(id));
  if (wanted.length === 0)
    throw new Error(
      `--only ${only.source} names none of ${cells.length} kinds of data; for example "${cells[0]?.id}" or "n=200 "`,
    );
  const prepared = new Map(wanted.map((cell) => [cell.id, prepareCell(cell)]));
  for (let chunk = 0; chunk * chunkGates < gates; chunk++) {
    for (const cell of wanted) {
      if (chunk * chunkGates < doneBefore(cell) || done.has(`${cell.id}#${chunk}`)) continue;
      const start = performance.now();
      const tallies = simulate(
        cell,
        prepared.get(cell.id) as NonNullable<ReturnType<typeof prepared.get>>,
        seed + seedOf(cell),
        chunk * chunkGates,
        chunkGates,
      );
      const line: Chunk = {
        cell: cell.id,
        chunk,
        gates: chunkGates,
        seconds: Math.round(performance.now() - start) / 1000,
        tallies,
      };
      appendFileSync(file, `${JSON.stringify(line)}\n`);
      onChunk(line);
    }
  }
}

/** Both worlds of a kind of data share their random streams, so they differ only by the candidate's change. */
function seedOf(cell: Cell): number {
  return 1000 * cell.n + Math.round(100 * (cell.share ?? 10 + (cell.spread ?? 0)));
}

if (import.meta.main) {
  const { values } = parseArgs({
    options: {
      gates: { type: "string", default: "2000" },
      seed: { type: "string", default: "1" },
      only: { type: "string", default: "" },
      out: { type: "string", default: gatesFile },
      fresh: { type: "boolean", default: false },
    },
  });
  const committed = readCommitted(Number(values.seed), values.fresh);
  simulateAll({
    file: values.out,
    gates: Number(values.gates),
    seed: Number(values.seed),
    only: new RegExp(values.only),
    doneBefore: committed.gatesOf,
    onChunk: ({ cell, chunk, seconds }) => process.stderr.write(`${cell} #${chunk}: ${seconds} s\n`),
  });
}
