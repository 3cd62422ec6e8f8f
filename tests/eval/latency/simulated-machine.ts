import type { RandomStream } from "../../../eval/stats/random.ts";
import { normalQuantile } from "../../../eval/stats/normal.ts";
import { arms, type Arm, type Block, type Round } from "../../../eval/latency/rounds.ts";

/** A runner's noise: standard deviations in natural logarithms. */
export type Noise = {
  /** Of a process, for its whole life. */
  process: number;
  /** Of one turn. */
  turn: number;
  /** Probability that a process is considerably slower for its whole life. */
  outliers: number;
  /** The machine's pace from block to block, shared by all processes: AR(1) with coefficient 0.9. */
  pace: number;
};

/**
 * Rounds as a latency comparison would measure them, for a model of 1 ms and a candidate that is slower by `effect`.
 */
export function simulatedRounds(random: RandomStream, effect: number, noise: Noise): () => Round {
  const normal = () => normalQuantile(random.uniform());
  let pace = normal() * noise.pace;
  const record = <Value>(value: (arm: Arm) => Value) =>
    Object.fromEntries(arms.map((arm) => [arm, value(arm)])) as Record<Arm, Value>;
  return () => {
    const own = record(
      (arm) =>
        normal() * noise.process +
        (random.uniform() < noise.outliers ? Math.abs(normal()) * 0.2 : 0) +
        (arm.startsWith("candidate") ? Math.log(1 + effect) : 0),
    );
    const blocks: Block[] = Array.from({ length: 5 }, () => {
      pace = 0.9 * pace + Math.sqrt(1 - 0.81) * noise.pace * normal();
      const turn = (arm: Arm) => Math.exp(own[arm] + pace + normal() * noise.turn);
      return record((arm) => [turn(arm), turn(arm)] as const);
    });
    return { blocks, queriesMs: record((arm) => Float64Array.from(blocks.flatMap((block) => block[arm]))) };
  };
}
