// `npm run mutants`: changes the code in many small ways, one at a time, and sees whether the quick tests of its room
// notice. docs/tests.md says what to do with what they do not notice.
//   npm run mutants                              every mutant of every room: hours
//   npm run mutants -- --sample 60 judge deploy  60 of each of these rooms, drawn by a seed
//   npm run mutants -- --since main              those on lines that differ from main
import { parseArgs } from "node:util";
import { ConfigurationError } from "../models/core/errors.ts";
import { changedRanges } from "./mutants/changed-ranges.ts";
import { mutateRoom, type RoomResult } from "./mutants/mutate-room.ts";
import { readResults, resultsFile, writePage, writeResults } from "./mutants/results.ts";
import { mutantRooms } from "./mutants/rooms.ts";

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    sample: { type: "string" },
    seed: { type: "string", default: "1" },
    since: { type: "string" },
  },
});
const count = values.sample === undefined ? Infinity : Number(values.sample);
const names = positionals.length === 0 ? Object.keys(mutantRooms) : positionals;
for (const name of names)
  if (!Object.hasOwn(mutantRooms, name))
    throw new ConfigurationError({
      code: "mutant-room",
      problem: "no such room",
      expected: Object.keys(mutantRooms).join(", "),
      received: name,
    });
if (!(count >= 1))
  throw new ConfigurationError({
    code: "mutant-sample",
    place: "--sample",
    problem: "not a number of mutants",
    expected: "a whole number from 1 on",
    received: values.sample ?? "",
    example: "--sample 60",
  });

const found: RoomResult[] = [];
for (const name of names) {
  const { sources, tests } = mutantRooms[name]!;
  const mutate = values.since === undefined ? sources : changedRanges(values.since, sources);
  if (mutate.length === 0) continue;
  console.error(`${name}: ${tests.join(" ")}`);
  const result = await mutateRoom(name, mutate, { count, seed: Number(values.seed) });
  found.push(result);
  for (const { file, line, original, replacement, status } of result.survivors)
    console.log(`${status} ${file}:${line}  ${original} → ${replacement}`);
  console.log(`${name}: ${result.noticed} of ${result.mutants} noticed in ${Math.round(result.seconds)} s`);
  // The page tells of whole rooms and samples of them, not of one change.
  if (values.since === undefined) {
    writeResults(result);
    writePage(readResults());
  }
}
if (values.since === undefined) console.log(`written: ${resultsFile} and its page`);
else if (found.length === 0) console.log(`nothing that is mutated differs from ${values.since}`);
if (values.since !== undefined && found.some(({ survivors }) => survivors.length > 0)) process.exitCode = 1;
