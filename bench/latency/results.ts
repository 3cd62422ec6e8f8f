import { existsSync, readFileSync } from "node:fs";
import type { Alerts } from "./other-rules.ts";
import type { Outcome, tally } from "./tally.ts";
import type { Sitting } from "./trace.ts";

export const folder = "bench/results/latency";
export const liveFile = (condition: string) => `${folder}/live/${condition}.jsonl`;
export const replayFile = (condition: string) => `${folder}/replay-${condition}.json`;

/** One gate that really ran, as live.ts writes it. */
export type LiveGate = Outcome & {
  at: string;
  condition: string;
  model: string;
  slowdown: number;
  slowdownMs: number;
  seed: number;
  margin: number;
  capSeconds: number;
  ratio: number;
  low: number | null;
  high: number | null;
  aa: number;
  looks: number;
  reason: string;
  loadAverage: number;
  cpu: string;
  cores: number;
};

/** The file that replay.ts writes. */
export type Replay = {
  schemaVersion: 1;
  condition: string;
  sittings: Sitting[];
  rounds: number;
  seconds: number;
  margin: number;
  alpha: number;
  capSeconds: number;
  seed: number;
  /**
   * Scatter of a round's ratio, natural logarithm (robust: 1.4826 times the median absolute deviation). `roundsInCap`:
   * how many rounds fit into the cap.
   */
  roundDeviation: number;
  roundsInCap: number;
  /** `voided`: gates that are inconclusive because the A/A arm excludes 1. */
  results: { slowdown: number; ours: ReturnType<typeof tally>; voided: number; others: Alerts[] }[];
};

/** Finished gates. A last line that was cut off is left out. */
export function readGates(file: string): LiveGate[] {
  return existsSync(file)
    ? readFileSync(file, "utf8")
        .split("\n")
        .slice(0, -1)
        .map((line) => JSON.parse(line) as LiveGate)
    : [];
}

export function readReplay(file: string): Replay | null {
  return existsSync(file) ? (JSON.parse(readFileSync(file, "utf8")) as Replay) : null;
}
