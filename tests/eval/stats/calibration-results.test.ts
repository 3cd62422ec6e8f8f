import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, it } from "vitest";
import { readCommitted, results } from "../../../bench/stats/calibration-results.ts";
import { cells } from "../../../bench/stats/cells.ts";
import { type Chunk, chunkGates } from "../../../bench/stats/chunks.ts";
import { empty, neededBins, type Tally } from "../../../bench/stats/simulate.ts";
import { RandomStream } from "../../../eval/stats/random.ts";

const folder = mkdtempSync(join(tmpdir(), "sluice-calibration-"));
afterAll(() => rmSync(folder, { recursive: true }));

const [boundary, noChange] = cells.filter((cell) => cell.n === 200 && cell.spread === 0);
const random = new RandomStream(11);
function tally(): Tally {
  const some = () => random.below(chunkGates + 1);
  const one: Tally = {
    ...empty(),
    gates: chunkGates,
    undefined: random.below(5),
    nonInferiority: { pass: some(), fail: some() },
    equivalencePass: some(),
    superiorityPass: some(),
    limitPass: some(),
    limitFail: some(),
  };
  for (let gate = 0; gate < chunkGates; gate++) (one.needed[random.below(neededBins)] as number)++;
  return one;
}
const chunks = Array.from({ length: 8 }, (_, chunk) =>
  [boundary, noChange].map((cell): Chunk => ({
    cell: cell!.id,
    chunk,
    gates: chunkGates,
    seconds: 1,
    tallies: { mae: tally(), rmse: tally(), r2: tally() },
  })),
);
/** Writes a results file with rounded figures, as the real one has. */
const written = (some: ReturnType<typeof results>, seed = 1) => {
  const file = join(folder, "calibration.json");
  writeFileSync(
    file,
    JSON.stringify({ seed, results: some }, (_, value: unknown) =>
      typeof value === "number" && !Number.isInteger(value) ? Number(value.toPrecision(5)) : value,
    ),
  );
  return file;
};
const none = readCommitted(1, false, join(folder, "none.json"));

it("committed gates and later ones give the same results as all of them at once", () => {
  const whole = results(none, chunks.flat());
  expect(whole.map((one) => [one.metric, one.gates])).toEqual([
    ["mae", 2000],
    ["rmse", 2000],
    ["r2", 2000],
  ]);
  const committed = readCommitted(1, false, written(results(none, chunks.slice(0, 3).flat())));
  expect(committed.gatesOf(boundary!)).toBe(3 * chunkGates);
  expect(committed.gatesOf(cells[0]!)).toBe(0);
  // A chunk that is committed and still in the chunks file counts once. A chunk after a gap, or of one world only,
  // waits.
  expect(results(committed, chunks.slice(2).flat())).toEqual(whole);
  expect(results(committed, [...chunks.slice(4).flat(), chunks[3]![0]!])[0]?.gates).toBe(3 * chunkGates);
});

it("nothing is continued with another seed, or with a fresh start", () => {
  const file = written(results(none, chunks.flat()));
  expect(readCommitted(2, false, file).results).toEqual([]);
  expect(readCommitted(1, true, file).gatesOf(boundary!)).toBe(0);
});
